/* When a proxy ends: each reason, and each moment at which it does not. The proxy's first worker runs here, at the times
 * that the test chooses. */
#include "tests/unit/relay_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#include "common/cidr.h"
#include "proxy/lifecycle.h"
#include "relay/accept.h"
#include "relay/udp.h"

#define NOW  (1000 * USEC_PER_SEC)
#define IDLE (10 * USEC_PER_SEC)
#define WARM (60 * USEC_PER_SEC)

static struct proxy_under_test {
	struct relay relay;
	struct report report;
	struct stats stats;
	struct lifecycle lifecycle;
	int listener, server, manager, container[2];
} t;

static struct loop *const loop = &t.relay.worker.loop;
static struct counters *const counters = &t.relay.worker.counters;

static void begin_with(int hold_fd, uint64_t idle)
{
	struct error err;
	int fds[2];

	memset(&t, 0, sizeof(t));
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(pipe2(t.container, O_CLOEXEC), 0);
	t.manager = fds[1];
	relay_begin(&t.relay, SOCK_STREAM);
	t.relay.config.idle_timeout = idle;
	t.relay.config.warm_for = WARM;
	t.relay.config.drain_timeout = 5 * USEC_PER_SEC;
	t.listener = bound(SOCK_STREAM);
	assert_int_equal(fcntl(t.listener, F_SETFL, O_NONBLOCK), 0);
	t.server = bound(SOCK_STREAM);
	*(struct sockaddr_in *)&t.relay.targets[0].addr = loopback(port_of(t.server));
	t.relay.targets[0].len = sizeof(struct sockaddr_in);
	t.relay.forward.n_targets = 1;
	t.relay.forward.fd = t.listener;
	t.report = (struct report){.service = &t.relay.service, .stats = &t.stats, .notify_fd = fds[0]};
	accept_prepare(&t.relay.service);
	assert_int_equal(lifecycle_open(&t.lifecycle, &t.report, t.container[0], hold_fd, &err), 0);
	assert_int_equal(lifecycle_start(&t.lifecycle, &err), 0);
	loop->now = NOW;
	count_set(&counters->last_activity, NOW);
}

static void begin(void)
{
	begin_with(-1, IDLE);
}

static void end(void)
{
	while (t.relay.worker.all)
		connection_close(&t.relay.worker, t.relay.worker.all, true);
	close(t.lifecycle.signals.fd);
	close(t.container[0]);
	close(t.container[1]);
	close(t.manager);
	close(t.report.notify_fd);
	close(t.listener);
	close(t.server);
	free(t.relay.worker.acceptors);
	relay_end(&t.relay);
}

/* The idle timer fires now. Returns when the proxy looks again; 0: it ends. */
static uint64_t look(uint64_t now)
{
	relay_fire(&t.relay, &t.lifecycle.idle, now);
	assert_int_equal(atomic_load(&t.relay.service.leaving), loop->stop);
	return loop->stop ? 0 : t.lifecycle.idle.when;
}

static void it_ends_when_nobody_uses_it(void **state)
{
	(void)state;
	begin();
	assert_true(t.lifecycle.idle.when != USEC_INFINITY);
	assert_int_equal(look(NOW), NOW + IDLE);
	assert_int_equal(look(NOW + IDLE - 1), NOW + IDLE);
	assert_int_equal(look(NOW + IDLE), 0);
	assert_string_equal(t.lifecycle.reason, "idle");
	end();
}

static void who_holds_keeps_it(void **state)
{
	(void)state;
	begin();
	count_set(&counters->holding, 1);
	assert_int_equal(look(NOW + WARM), NOW + WARM + IDLE);
	end();
}

/* A second client shows that somebody is at work. */
static void after_two_it_is_more_patient(void **state)
{
	static const struct {
		uint64_t holders, warm, patience;
	} cases[] = {{0, WARM, IDLE},
		     {1, WARM, IDLE},
		     {2, WARM, WARM},
		     {3, IDLE - 1, IDLE},
		     {2, USEC_INFINITY, USEC_INFINITY}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		uint64_t due = time_after(NOW, cases[k].patience);

		begin();
		t.relay.config.warm_for = cases[k].warm;
		count_set(&counters->holders, cases[k].holders);
		assert_true(look(NOW + 1) == due);
		if (due != USEC_INFINITY)
			assert_int_equal(look(due), 0);
		end();
	}
}

/* The hold is read from the shared figures, or from the file, at least once a minute. */
static void a_hold_keeps_it(void **state)
{
	static const struct {
		int64_t span; /* of the hold, from now on */
		uint64_t least, most;
	} cases[] = {
		{-5, 0, 0},
		{30, 28 * USEC_PER_SEC, 30 * USEC_PER_SEC},
		{3600, 60 * USEC_PER_SEC, 60 * USEC_PER_SEC},
	};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		for (int file = 0; file < 2; file++) {
			int fd = file ? memfd_create("stats", MFD_CLOEXEC) : -1;
			struct stats *held = file ? stats_map(fd, 1, &err) : &t.stats;
			uint64_t due;

			begin_with(fd, IDLE);
			held->held_until = wall_usec() + (uint64_t)(cases[k].span * (int64_t)USEC_PER_SEC);
			due = look(NOW + IDLE);
			if (cases[k].most == 0)
				assert_int_equal(due, 0);
			else
				assert_in_range(due, NOW + IDLE + cases[k].least, NOW + IDLE + cases[k].most);
			end();
			if (file) {
				munmap(held, sizeof(*held));
				close(fd);
			}
		}
	}
}

/* A file that is none of ours, or cut, says nothing: then the shared figures count. */
static void a_foreign_file_holds_nothing(void **state)
{
	int fd = memfd_create("stats", MFD_CLOEXEC);

	(void)state;
	begin_with(fd, IDLE);
	assert_int_equal(look(NOW + IDLE), 0);
	end();
	assert_int_equal(ftruncate(fd, sizeof(struct stats)), 0);
	begin_with(fd, IDLE);
	t.stats.held_until = wall_usec() + 30 * USEC_PER_SEC;
	assert_true(look(NOW + IDLE) > NOW + IDLE);
	end();
	close(fd);
}

/* A silent client may be about to send data: for a second, and no longer than two in all. */
static void newcomers_are_waited_for(void **state)
{
	const uint64_t due = NOW + IDLE;

	(void)state;
	begin();
	count_set(&counters->silent, 1);
	count_set(&counters->last_silent, due - USEC_PER_SEC);
	assert_int_equal(look(due), 0); /* a second is over */
	end();

	begin();
	count_set(&counters->silent, 1);
	count_set(&counters->last_silent, due - USEC_PER_SEC + 1);
	assert_int_equal(look(due), due + 20 * USEC_PER_MSEC);
	count_set(&counters->last_silent, due + USEC_PER_SEC); /* others come */
	assert_int_equal(look(due + USEC_PER_SEC), due + USEC_PER_SEC + 20 * USEC_PER_MSEC);
	count_set(&counters->last_silent, due + 2 * USEC_PER_SEC - 1);
	assert_true(look(due + 2 * USEC_PER_SEC - 1) > 0);
	assert_int_equal(look(due + 2 * USEC_PER_SEC), 0);
	end();

	begin(); /* nobody is silent any more: a new patience for the next one */
	count_set(&counters->silent, 1);
	count_set(&counters->last_silent, due);
	assert_true(look(due) > 0);
	count_set(&counters->silent, 0);
	count_set(&counters->holding, 1);
	assert_int_equal(look(due + 1), due + 1 + IDLE);
	assert_int_equal(t.lifecycle.patient_until, 0);
	end();
}

/* The last look finds who is in the queue by now. */
static void who_waits_in_the_queue_is_served(void **state)
{
	int client;

	(void)state;
	begin();
	client = connect_to(SOCK_STREAM, port_of(t.listener));
	assert_int_equal(look(NOW + IDLE), NOW + 2 * IDLE);
	assert_non_null(t.relay.worker.all);
	assert_int_equal(count_get(&counters->connections_total), 1);
	close(client);
	end();
}

/* So does a datagram. */
static void a_datagram_in_the_queue_is_served(void **state)
{
	struct error err;
	int client, port, server = bound(SOCK_DGRAM);

	(void)state;
	begin();
	t.relay.publish.type = SOCK_DGRAM;
	t.relay.config.flow_timeout = USEC_INFINITY;
	*(struct sockaddr_in *)&t.relay.targets[0].addr = loopback(port_of(server));
	t.relay.forward.fd = port = bound(SOCK_DGRAM);
	assert_int_equal(fcntl(port, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(udp_open(&t.relay.worker, &t.relay.worker.udp, &err), 0);
	client = connect_to(SOCK_DGRAM, port_of(port));
	send_text(client, "me");
	assert_int_equal(look(NOW + IDLE), NOW + 2 * IDLE);
	expect_text(server, "me");
	t.relay.service.descriptors.free = RELAY_BUDGET; /* flows live as long as the process */
	close(client);
	close(server);
	close(port);
	end();
}

static void while_somebody_accepts_it_does_not_end(void **state)
{
	(void)state;
	begin();
	atomic_store(&t.relay.service.accepting, 1);
	assert_int_equal(look(NOW + IDLE), NOW + IDLE + USEC_PER_MSEC);
	atomic_store(&t.relay.service.accepting, 0);
	assert_int_equal(look(NOW + IDLE), 0);
	end();
}

static void without_an_idle_timeout_it_stays(void **state)
{
	(void)state;
	begin_with(-1, USEC_INFINITY);
	assert_true(t.lifecycle.idle.when == USEC_INFINITY);
	end();
}

/* The next text that the manager is told, without those about figures. */
static void expect_told(const char *text)
{
	char message[1024];
	ssize_t n;

	do {
		n = recv(t.manager, message, sizeof(message) - 1, MSG_DONTWAIT);
		assert_true(n > 0);
		message[n] = '\0';
	} while (!strstr(message, text));
}

static void tell(int sig)
{
	kill(getpid(), sig);
	t.lifecycle.signals.ready(loop, &t.lifecycle.signals, EPOLLIN);
}

static void told_to_stop_it_drains(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT};
	int client;

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		begin();
		expect_told("READY=1");
		client = connect_to(SOCK_STREAM, port_of(t.listener));
		relay_turn(&t.relay);
		assert_non_null(t.relay.worker.all);
		tell(signals[k]);
		expect_told("STOPPING=1");
		assert_int_equal(atomic_load(&t.relay.service.phase), DRAINING);
		assert_false(loop->stop);
		assert_int_equal(t.lifecycle.drain.when, NOW + 5 * USEC_PER_SEC);
		(void)loop->after(loop);
		assert_false(loop->stop);
		if (k == 0)
			tell(SIGTERM); /* once more */
		else
			relay_fire(&t.relay, &t.lifecycle.drain, NOW + 5 * USEC_PER_SEC);
		assert_true(loop->stop);
		assert_string_equal(t.lifecycle.reason, "told to stop");
		close(client);
		end();
	}
}

/* Not even an idle end would look at the queue once more. */
static void while_it_drains_it_is_not_idle(void **state)
{
	struct cidr range;
	struct error err;
	int client;

	(void)state;
	assert_int_equal(cidr_parse("127.0.0.1", &range, &err), 0);
	begin();
	t.relay.config.no_hold = &range;
	t.relay.config.n_no_hold = 1;
	client = connect_to(SOCK_STREAM, port_of(t.listener));
	relay_turn(&t.relay);
	assert_non_null(t.relay.worker.all); /* it keeps nothing awake, but may go on */
	assert_int_equal(service_holding(&t.relay.service), 0);
	tell(SIGTERM);
	assert_true(t.lifecycle.idle.when == USEC_INFINITY);
	assert_false(loop->stop);
	close(client);
	end();
}

/* Clients that come then stay in the queue, for the next process. */
static void who_comes_while_it_drains_stays_queued(void **state)
{
	int client;

	(void)state;
	begin();
	t.relay.config.drain_timeout = USEC_INFINITY;
	tell(SIGTERM);
	assert_true(t.lifecycle.drain.when == USEC_INFINITY);
	client = connect_to(SOCK_STREAM, port_of(t.listener));
	relay_turn(&t.relay);
	assert_null(t.relay.worker.all);
	(void)loop->after(loop);
	assert_true(loop->stop); /* nothing is left to drain */
	close(client);
	end();
}

static void a_signal_that_was_taken_already_means_nothing(void **state)
{
	(void)state;
	begin();
	t.lifecycle.signals.ready(loop, &t.lifecycle.signals, EPOLLIN);
	assert_int_equal(atomic_load(&t.relay.service.phase), SERVING);
	assert_false(loop->stop);
	(void)loop->after(loop);
	assert_false(loop->stop);
	end();
}

static void it_ends_with_the_container(void **state)
{
	(void)state;
	begin();
	assert_int_equal(write(t.container[1], "", 1), 1);
	relay_turn(&t.relay);
	assert_true(loop->stop);
	assert_string_equal(t.lifecycle.reason, "the container has ended");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_when_nobody_uses_it),
		cmocka_unit_test(who_holds_keeps_it),
		cmocka_unit_test(after_two_it_is_more_patient),
		cmocka_unit_test(a_hold_keeps_it),
		cmocka_unit_test(a_foreign_file_holds_nothing),
		cmocka_unit_test(newcomers_are_waited_for),
		cmocka_unit_test(who_waits_in_the_queue_is_served),
		cmocka_unit_test(a_datagram_in_the_queue_is_served),
		cmocka_unit_test(while_somebody_accepts_it_does_not_end),
		cmocka_unit_test(without_an_idle_timeout_it_stays),
		cmocka_unit_test(told_to_stop_it_drains),
		cmocka_unit_test(while_it_drains_it_is_not_idle),
		cmocka_unit_test(who_comes_while_it_drains_stays_queued),
		cmocka_unit_test(a_signal_that_was_taken_already_means_nothing),
		cmocka_unit_test(it_ends_with_the_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
