/* Several workers: who gets a connection, and when nobody is about to get one. No thread runs; the test plays them. */
#include "tests/unit/relay_fixture.h"

#include <fcntl.h>

#include "common/cleanup.h"
#include "relay/accept.h"
#include "relay/hand.h"
#include "relay/threads.h"

#define WORKERS 3

static struct relay_config config;
static struct publish publish;
static struct forward forward;
static struct service service;
static struct worker workers[WORKERS];

static void begin(unsigned n)
{
	struct error err;

	memset(workers, 0, sizeof(workers));
	config = (struct relay_config){.startup_timeout = USEC_INFINITY, .connection_timeout = USEC_INFINITY};
	publish = (struct publish){.type = SOCK_STREAM};
	forward = (struct forward){.publish = &publish,
				   .family = AF_INET,
				   .fd = -1,
				   .deadline = USEC_INFINITY}; /* clients without a target wait */
	service = (struct service){.config = &config,
				   .forwards = &forward,
				   .n_forwards = 1,
				   .workers = workers,
				   .n_workers = n,
				   .descriptors.free = RELAY_BUDGET};
	assert_int_equal(worker_init(&workers[0], &service, 0, &err), 0);
	assert_int_equal(threads_open(&service, &err), 0);
}

static void end(void)
{
	for (unsigned k = 0; k < service.n_workers; k++) {
		while (workers[k].all)
			connection_close(&workers[k], workers[k].all, true);
		if (service.n_workers > 1) {
			close(workers[k].told.fd);
			close(workers[k].told_in);
		}
		relay_keep(&workers[k]);
		free(workers[k].acceptors);
		free(workers[k].buffer);
		loop_close(&workers[k].loop);
	}
	assert_int_equal(service.descriptors.free, RELAY_BUDGET);
}

static void who_has_the_fewest_gets_it(void **state)
{
	static const struct {
		uint64_t connections[WORKERS];
		unsigned handed[WORKERS], from, least;
	} cases[] = {
		{{0, 0, 0}, {0, 0, 0}, 0, 0}, {{0, 0, 0}, {0, 0, 0}, 1, 1}, /* the one that has it keeps it */
		{{1, 0, 0}, {0, 0, 0}, 0, 1}, {{2, 2, 1}, {0, 0, 0}, 0, 2}, {{2, 2, 2}, {0, 0, 0}, 2, 2},
		{{1, 0, 0}, {0, 1, 0}, 0, 2}, {{0, 0, 0}, {1, 1, 1}, 1, 1}, {{5, 4, 3}, {0, 0, 2}, 0, 1},
	};

	(void)state;
	begin(WORKERS);
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		for (unsigned w = 0; w < WORKERS; w++) {
			count_set(&workers[w].counters.connections, cases[k].connections[w]);
			atomic_store(&workers[w].handed, cases[k].handed[w]);
		}
		assert_ptr_equal(hand_least(&workers[cases[k].from]), &workers[cases[k].least]);
	}
	end();
}

static int descriptor(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* It counts as being accepted until the other worker has counted it. */
static void it_is_counted_all_the_time(void **state)
{
	struct handed handed[HANDED_MAX];

	(void)state;
	begin(2);
	assert_false(threads_are_accepting(&service));
	assert_true(descriptors_take(&service.descriptors, 2));
	assert_true(hand_over(&workers[1], &forward, descriptor()));
	assert_true(threads_are_accepting(&service));
	threads_take(&workers[0]); /* it is not for this one */
	assert_true(threads_are_accepting(&service));
	threads_take(&workers[1]);
	assert_false(threads_are_accepting(&service));
	assert_null(workers[0].all);
	assert_non_null(workers[1].all);
	assert_int_equal(count_get(&workers[1].counters.connections), 1);
	assert_int_equal(hand_receive(&workers[1], handed), 0);
	atomic_store(&service.accepting, 1);
	assert_true(threads_are_accepting(&service));
	end();
}

static void a_message_without_a_connection_only_wakes(void **state)
{
	struct handed handed[HANDED_MAX];
	int fd = descriptor();

	(void)state;
	begin(2);
	hand_wake(&workers[1]);
	assert_false(threads_are_accepting(&service));
	threads_take(&workers[1]);
	assert_null(workers[1].all);
	hand_wake(&workers[1]);
	assert_true(hand_over(&workers[1], &forward, fd));
	assert_int_equal(hand_receive(&workers[1], handed), 2);
	assert_null(handed[0].forward);
	assert_ptr_equal(handed[1].forward, &forward);
	assert_int_equal(handed[1].fd, fd);
	hand_taken(&workers[1]);
	assert_false(threads_are_accepting(&service));
	close(fd);
	end();
}

/* A worker whose pipe is full is not given more: who has the connection serves it. */
static void a_full_pipe_is_no_loss(void **state)
{
	int fd = descriptor();
	unsigned n = 0;

	(void)state;
	begin(2);
	while (hand_over(&workers[1], &forward, fd))
		n++;
	assert_true(n > HANDED_MAX);
	assert_int_equal(atomic_load(&workers[1].handed), n);
	atomic_store(&workers[1].handed, 0);
	close(fd);
	end();
}

static void what_a_message_finds(enum service_phase phase, bool stops, bool watches)
{
	struct error err;
	int client;

	begin(2);
	forward.fd = bound(SOCK_STREAM);
	assert_int_equal(fcntl(forward.fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(accept_start(&workers[1], &err), 0);
	atomic_store(&service.phase, phase);
	threads_wake(&service); /* all but the first */
	assert_int_equal(poll(&(struct pollfd){.fd = workers[0].told.fd, .events = POLLIN}, 1, 0), 0);
	workers[1].told.ready(&workers[1].loop, &workers[1].told, EPOLLIN);
	assert_int_equal(workers[1].loop.stop, stops);
	client = connect_to(SOCK_STREAM, port_of(forward.fd));
	assert_int_equal(epoll_wait(workers[1].loop.epoll_fd, (struct epoll_event[1]){}, 1, 0), watches);
	close(client);
	close(forward.fd);
	end();
}

static void the_phase_is_looked_at(void **state)
{
	(void)state;
	what_a_message_finds(SERVING, false, true);
	what_a_message_finds(DRAINING, false, false);
	what_a_message_finds(ENDING, true, false);
}

/* The first worker is told of what the others have counted, once until it has looked. */
static void the_first_is_told(void **state)
{
	struct handed handed[HANDED_MAX];

	(void)state;
	begin(2);
	(void)workers[1].loop.after(&workers[1].loop);
	assert_int_equal(hand_receive(&workers[0], handed), 1);
	(void)workers[1].loop.after(&workers[1].loop);
	assert_int_equal(hand_receive(&workers[0], handed), 0);
	atomic_store(&service.changed, false);
	(void)workers[1].loop.after(&workers[1].loop);
	assert_int_equal(hand_receive(&workers[0], handed), 1);
	/* and always of the last connection that it waits for */
	atomic_store(&service.phase, DRAINING);
	(void)workers[1].loop.after(&workers[1].loop);
	assert_int_equal(hand_receive(&workers[0], handed), 1);
	assert_true(descriptors_take(&service.descriptors, 2));
	assert_non_null(connection_new(&workers[1], &forward, descriptor(), true));
	(void)workers[1].loop.after(&workers[1].loop);
	assert_int_equal(hand_receive(&workers[0], handed), 0);
	end();
}

/* While the first decides whether to end, the others leave clients in the queue; it does not. */
static void who_leaves_accepts_nobody(void **state)
{
	static const struct {
		unsigned worker;
		bool leaving;
		enum service_phase phase;
		bool accepts;
	} cases[] = {
		{0, false, SERVING, true}, {0, true, SERVING, true},  {0, false, DRAINING, false},
		{1, false, SERVING, true}, {1, true, SERVING, false}, {1, false, DRAINING, false},
	};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct worker *w = &workers[cases[k].worker];
		int client;

		begin(2);
		forward.fd = bound(SOCK_STREAM);
		assert_int_equal(fcntl(forward.fd, F_SETFL, O_NONBLOCK), 0);
		assert_int_equal(accept_start(w, &err), 0);
		atomic_store(&service.leaving, cases[k].leaving);
		atomic_store(&service.phase, cases[k].phase);
		client = connect_to(SOCK_STREAM, port_of(forward.fd));
		accept_now(w);
		assert_int_equal(w->all != NULL, cases[k].accepts);
		assert_int_equal(atomic_load(&service.accepting), 0);
		close(client);
		close(forward.fd);
		end();
	}
}

static void one_alone_has_no_pipe(void **state)
{
	struct error err;

	(void)state;
	begin(1);
	assert_int_equal(workers[0].told_in, -1);
	assert_int_equal(threads_start(&service, &err), 0);
	threads_wake(&service);
	threads_join(&service);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_the_fewest_gets_it),
		cmocka_unit_test(it_is_counted_all_the_time),
		cmocka_unit_test(a_message_without_a_connection_only_wakes),
		cmocka_unit_test(a_full_pipe_is_no_loss),
		cmocka_unit_test(the_phase_is_looked_at),
		cmocka_unit_test(the_first_is_told),
		cmocka_unit_test(who_leaves_accepts_nobody),
		cmocka_unit_test(one_alone_has_no_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
