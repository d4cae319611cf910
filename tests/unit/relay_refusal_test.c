/* What the kernel refuses to the relay, or has no memory for: who is told, and that nothing is lost or held. */
#include "tests/unit/refusal_fixture.h"
#include "tests/unit/relay_fixture.h"
#include "tests/unit/shortage.h"

#include "common/cleanup.h"
#include "relay/accept.h"
#include "relay/connect.h"
#include "relay/datagram.h"
#include "relay/flows.h"
#include "relay/hand.h"
#include "relay/pump.h"
#include "relay/udp.h"

#define NO_CALL -1

/* A step of the preparation: -1, and an error that says so. */
struct step {
	int (*prepare)(struct error *err);
	int call;	      /* that is refused, or NO_CALL: memory runs out */
	unsigned allocations; /* that succeed before */
	const char *says;
};

static struct relay r;
static struct flow_table table;
static struct batch batch;

static int open_worker(struct error *err)
{
	return worker_init(&r.worker, &r.service, 0, err);
}

static int open_table(struct error *err)
{
	return flow_table_init(&table, &r.worker, 10, USEC_PER_SEC, err);
}

static int open_batch(struct error *err)
{
	return batch_open(&batch, err);
}

static int open_hand(struct error *err)
{
	return hand_open(&r.worker, NULL, err);
}

static int open_udp(struct error *err)
{
	r.publish.type = SOCK_DGRAM;
	r.forward.fd = bound(SOCK_DGRAM);
	return udp_open(&r.worker, &r.worker.udp, err);
}

static int start_udp(struct error *err)
{
	struct error ignored;

	r.publish.type = SOCK_DGRAM;
	r.forward.fd = bound(SOCK_DGRAM);
	if (udp_open(&r.worker, &r.worker.udp, &ignored) < 0)
		return 0;
	refuse_call(SYS_epoll_ctl, EIO);
	return udp_start(r.worker.udp, err);
}

static int start_accepting(struct error *err)
{
	return accept_start(&r.worker, err);
}

static int run_loop(struct error *err)
{
	return loop_run(&r.worker.loop, err);
}

static const struct step steps[] = {
	{open_worker, SYS_epoll_create1, 0, "cannot create an epoll instance"},
	{open_worker, NO_CALL, 0, "out of memory"},
	{open_table, NO_CALL, 0, "out of memory"},
	{open_table, SYS_getrandom, 0, "cannot get random bytes"},
	{open_batch, SYS_mmap, 0, "out of memory for datagrams"},
	{open_batch, NO_CALL, 0, "out of memory"},
	{open_hand, SYS_pipe2, 0, "cannot prepare worker 0"},
	{open_hand, SYS_epoll_ctl, 0, "cannot prepare worker 0"},
	{open_udp, NO_CALL, 0, "out of memory"}, /* of itself, its ports, its table, its batch */
	{open_udp, NO_CALL, 1, "out of memory"},
	{open_udp, NO_CALL, 2, "out of memory"},
	{open_udp, NO_CALL, 3, "out of memory"},
	{open_udp, SYS_setsockopt, 0, "cannot ask for the addresses of datagrams"},
	{start_udp, SYS_tgkill, 0, "cannot watch UDP port 0"},
	{start_accepting, NO_CALL, 0, "out of memory"},
	{run_loop, SYS_epoll_wait, 0, "cannot wait for events"},
};

static size_t at; /* the step at hand */

static bool is_told(void)
{
	struct error err = {};
	int code = steps[at].call == NO_CALL ? ENOMEM : EIO;

	if (steps[at].call == NO_CALL)
		shortage_after(steps[at].allocations);
	else
		refuse_call(steps[at].call, EIO);
	return steps[at].prepare(&err) == -1 && err.code == code && strstr(err.text, steps[at].says);
}

static void each_step_is_told(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(steps) / sizeof(*steps); at++) {
		relay_begin(&r, SOCK_STREAM);
		if (!child_says(is_told))
			fail_msg("step %zu: %s", at, steps[at].says);
		relay_end(&r);
	}
}

/* Without memory for it a client is reset, and its descriptors are free again. */
static void a_client_without_memory_is_reset(void **state)
{
	int fds[2];

	(void)state;
	relay_begin(&r, SOCK_STREAM);
	relay_pair(SOCK_STREAM, fds);
	assert_true(descriptors_take(&r.service.descriptors, 2));
	shortage_after(0);
	accept_serve(&r.worker, &r.forward, fds[0]);
	assert_true(shortage_was_met());
	assert_int_equal(next_end(fds[1]), ECONNRESET);
	assert_null(r.worker.all);
	close(fds[1]);
	relay_end(&r);
}

static void a_flow_without_memory_is_none(void **state)
{
	struct flow_key key = {.forward = &r.forward, .port = 1};
	struct error err;

	(void)state;
	relay_begin(&r, SOCK_DGRAM);
	assert_int_equal(flow_table_init(&table, &r.worker, 10, USEC_PER_SEC, &err), 0);
	shortage_after(0);
	assert_null(flow_new(&table, &key, loop_ignore));
	assert_true(shortage_was_met());
	assert_int_equal(table.count, 0);
	free(table.buckets);
	relay_end(&r);
}

/* Its first datagram is only kept for a second attempt: a flow does without. */
static void a_first_datagram_without_memory_is_not_kept(void **state)
{
	struct flow_key key = {.forward = &r.forward, .port = 1};
	struct error err;
	struct flow *f;

	(void)state;
	relay_begin(&r, SOCK_DGRAM);
	assert_int_equal(flow_table_init(&table, &r.worker, 10, USEC_PER_SEC, &err), 0);
	f = flow_new(&table, &key, loop_ignore);
	assert_non_null(f);
	shortage_after(0);
	flow_keep_first(&table, f, "x", 1);
	assert_true(shortage_was_met());
	assert_null(f->first);
	assert_int_equal(f->first_len, 0);
	assert_int_equal(table.first_bytes, 0);
	flow_close(&table, f);
	free(table.free);
	free(table.buckets);
	relay_end(&r);
}

static void a_pipe_without_memory_is_none(void **state)
{
	(void)state;
	relay_begin(&r, SOCK_STREAM);
	shortage_after(0);
	assert_null(pipe_take(&r.worker.pipes));
	assert_true(shortage_was_met());
	assert_int_equal(r.worker.pipes.count, 0);
	relay_end(&r); /* checks the budget */
}

static struct connection *c;
static int client, server;

/* One connection, relaying, whose peers are here. */
static void begin_relaying(void)
{
	int fds[2], listener = bound(SOCK_STREAM);

	relay_begin(&r, SOCK_STREAM);
	*(struct sockaddr_in *)&r.targets[0].addr = loopback(port_of(listener));
	r.targets[0].len = sizeof(struct sockaddr_in);
	r.forward.n_targets = 1;
	relay_pair(SOCK_STREAM, fds);
	client = fds[1];
	c = relay_connection(&r, fds[0]);
	connect_target(&r.worker, c);
	while (c->state != CONNECTION_RELAYING)
		relay_turn(&r);
	server = accept_from(listener);
	close(listener);
}

static void end_relaying(void)
{
	relay_end(&r);
	close(client);
	close(server);
}

/* The kernel is short of memory, for a moment: the connection has another turn later. */
static bool waits_for_memory(void)
{
	refuse_call(SYS_write, ENOBUFS);
	if (send(client, "x", 1, 0) != 1)
		return false;
	relay_turn(&r);
	return c->state == CONNECTION_RELAYING && c->is_queued && r.worker.waiting.first == c &&
	       r.worker.retry.when != USEC_INFINITY && c->ends[CLIENT].buffered_len == 1;
}

/* Any other error is the peer's end. */
static bool ends_by_an_error(void)
{
	refuse_call(SYS_write, EIO);
	if (send(client, "x", 1, 0) != 1)
		return false;
	relay_turn(&r);
	return !r.worker.all;
}

/* A signal means nothing. */
static bool goes_on_after_a_signal(void)
{
	refuse_call(SYS_read, EINTR);
	if (send(client, "x", 1, 0) != 1)
		return false;
	c->is_queued = true; /* so that this turn does not try without end */
	relay_turn(&r);
	return r.worker.all == c && !c->ends[CLIENT].failed;
}

static bool is_reset_without_memory(void)
{
	refuse_call(SYS_write, EAGAIN);
	if (send(client, "x", 1, 0) != 1)
		return false;
	shortage_after(0);
	relay_turn(&r);
	return shortage_was_met() && !r.worker.all;
}

static void what_a_stream_lacks(void **state)
{
	static bool (*const cases[])(void) = {waits_for_memory, ends_by_an_error, goes_on_after_a_signal,
					      is_reset_without_memory};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		begin_relaying();
		if (!child_says(cases[k]))
			fail_msg("case %zu", k);
		end_relaying();
	}
}

/* What an attempt to connect lacks for a moment is tried again later; what it lacks for good is told. */
static struct {
	int call, error;
	uint64_t deadline;
	enum connection_state becomes;
} attempts[] = {
	{SYS_socket, EMFILE, 0, CONNECTION_WAITING},
	{SYS_socket, ENFILE, 0, CONNECTION_WAITING},
	{SYS_socket, ENOBUFS, 0, CONNECTION_WAITING},
	{SYS_socket, ENOMEM, 0, CONNECTION_WAITING},
	{SYS_epoll_ctl, ENOSPC, 0, CONNECTION_WAITING},
	{SYS_connect, EAGAIN, 0, CONNECTION_WAITING},
	{SYS_socket, EACCES, 0, CONNECTION_CLOSED},
	{SYS_connect, EACCES, 0, CONNECTION_CLOSED},
	{SYS_connect, ECONNREFUSED, 0, CONNECTION_CLOSED},
	{SYS_connect, ECONNREFUSED, RELAY_NOW + 1, CONNECTION_WAITING},
	{SYS_connect, ECONNREFUSED, RELAY_NOW, CONNECTION_CLOSED},
};

static bool becomes_so(void)
{
	refuse_call(attempts[at].call, attempts[at].error);
	connect_target(&r.worker, c);
	if (attempts[at].becomes == CONNECTION_CLOSED)
		return !r.worker.all && count_get(&r.worker.counters.connections_failed) == 1;
	return c->state == attempts[at].becomes && c->is_queued && c->ends[TARGET].watch.fd == -1;
}

static void what_an_attempt_lacks(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(attempts) / sizeof(*attempts); at++) {
		int fds[2], listener = bound(SOCK_STREAM);

		relay_begin(&r, SOCK_STREAM);
		*(struct sockaddr_in *)&r.targets[0].addr = loopback(port_of(listener));
		r.targets[0].len = sizeof(struct sockaddr_in);
		r.forward.n_targets = 1;
		r.forward.deadline = attempts[at].deadline;
		relay_pair(SOCK_STREAM, fds);
		c = relay_connection(&r, fds[0]);
		if (!child_says(becomes_so))
			fail_msg("case %zu", at);
		relay_end(&r);
		close(fds[1]);
		close(listener);
	}
}

/* Without memory to watch the client, the connection goes on when there is some. */
static bool is_connected_unwatched(void)
{
	refuse_call(SYS_epoll_ctl, ENOMEM);
	pump_start(&r.worker, c, 0);
	return c->state == CONNECTION_CONNECTED && c->is_queued;
}

static void a_client_that_cannot_be_watched(void **state)
{
	int fds[2], there[2];

	(void)state;
	relay_begin(&r, SOCK_STREAM);
	relay_pair(SOCK_STREAM, fds);
	relay_pair(SOCK_STREAM, there);
	c = relay_connection(&r, fds[0]);
	c->ends[TARGET].watch.fd = there[0];
	assert_true(child_says(is_connected_unwatched));
	relay_end(&r);
	close(fds[1]);
	close(there[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_is_told),
		cmocka_unit_test(a_client_without_memory_is_reset),
		cmocka_unit_test(a_flow_without_memory_is_none),
		cmocka_unit_test(a_first_datagram_without_memory_is_not_kept),
		cmocka_unit_test(a_pipe_without_memory_is_none),
		cmocka_unit_test(what_a_stream_lacks),
		cmocka_unit_test(what_an_attempt_lacks),
		cmocka_unit_test(a_client_that_cannot_be_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
