/* Whom a worker takes out of the queues, and when it leaves them there; without a proxy around it. */
#include "tests/unit/relay_fixture.h"

#include <netinet/tcp.h>

#include "relay/accept.h"
#include "relay/worker_loop.h"

#define BUDGET	   100
#define PAUSE_USEC (100 * USEC_PER_MSEC)
#define BATCH	   16 /* clients that are taken at a time */
#define EXIT_YES   42

/* The sanitizer's shadow is larger than any limit of the address space. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static const struct publish tcp = {.type = SOCK_STREAM}, udp = {.type = SOCK_DGRAM};

/* No target is there yet, so that whoever was accepted waits. */
static struct {
	struct relay_config config;
	struct service service;
	struct worker workers[2];
	struct forward forwards[3]; /* the second one is a UDP port */
	int listener;
} t;

static void begin_with(unsigned n_workers)
{
	struct error err;

	memset(&t, 0, sizeof(t));
	t.listener = bound(SOCK_STREAM);
	assert_int_equal(fcntl(t.listener, F_SETFL, O_NONBLOCK), 0);
	t.config = (struct relay_config){
		.keepalive = 9 * USEC_PER_SEC, .startup_timeout = USEC_INFINITY, .connection_timeout = USEC_INFINITY};
	t.forwards[0] = (struct forward){.publish = &tcp, .family = AF_INET, .fd = t.listener};
	t.forwards[1] = (struct forward){.publish = &udp, .family = AF_INET, .fd = -1};
	t.service.config = &t.config;
	t.service.forwards = t.forwards;
	t.service.n_forwards = 2;
	t.forwards[0].deadline = t.forwards[1].deadline = USEC_INFINITY;
	t.service.workers = t.workers;
	t.service.n_workers = n_workers;
	t.service.descriptors.free = BUDGET;
	for (unsigned k = 0; k < n_workers; k++) {
		assert_int_equal(worker_init(&t.workers[k], &t.service, k, &err), 0);
		t.workers[k].loop.now = 1000;
		assert_int_equal(accept_start(&t.workers[k], &err), 0);
	}
}

static void end(void)
{
	for (unsigned k = 0; k < t.service.n_workers; k++) {
		struct worker *w = &t.workers[k];

		while (w->all)
			connection_close(w, w->all, true);
		relay_keep(w);
		free(w->acceptors);
		free(w->buffer);
		loop_close(&w->loop);
	}
	close(t.listener);
}

static int client(void)
{
	return connect_to(SOCK_STREAM, port_of(t.listener));
}

static uint64_t connections(unsigned k)
{
	return count_get(&t.workers[k].counters.connections);
}

/* Would a client who comes now be told of? */
static bool is_watched(unsigned k)
{
	struct epoll_event event;
	int fd = client();
	bool is = epoll_wait(t.workers[k].loop.epoll_fd, &event, 1, 0) == 1;

	reset_and_close(fd);
	assert_int_equal(wait_readable(t.listener), 1);
	close(accept4(t.listener, NULL, NULL, SOCK_CLOEXEC));
	return is;
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* Without descriptors for both ends a client that somebody else has accepted is reset, and its descriptor is closed. */
static void an_adopted_client_without_descriptors_is_reset(void **state)
{
	static struct service service = {.n_workers = 1};
	static struct worker worker = {.service = &service};
	struct forward forward = {.family = AF_INET};

	(void)state;
	for (int left = 0; left <= 1; left++) {
		int listener = bound(SOCK_STREAM), fd, peer = connect_to(SOCK_STREAM, port_of(listener));

		fd = accept_from(listener);
		service.descriptors.free = left;
		accept_adopt(&worker, &forward, fd);
		assert_int_equal(fcntl(fd, F_GETFD), -1);
		assert_int_equal(next_end(peer), ECONNRESET);
		assert_int_equal(service.descriptors.free, left);
		close(peer);
		close(listener);
	}
}

/* The program that has accepted it had it reset by its own end. */
static void an_adopted_client_is_served(void **state)
{
	static const struct linger reset = {.l_onoff = 1};
	struct linger linger = {.l_onoff = 1};
	socklen_t len = sizeof(linger);
	int peer, fd;

	(void)state;
	begin_with(1);
	peer = client();
	fd = accept_from(t.listener);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	accept_adopt(&t.workers[0], &t.forwards[0], fd);
	assert_int_equal(connections(0), 1);
	assert_int_equal(t.service.descriptors.free, BUDGET - 2);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len), 0);
	assert_int_equal(linger.l_onoff, 0);
	assert_int_not_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	assert_int_not_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	close(peer);
	end();
}

static void clients_are_taken_in_batches(void **state)
{
	int peers[BATCH + 1];

	(void)state;
	begin_with(1);
	assert_int_equal(t.workers[0].n_acceptors, 1); /* not for the UDP port */
	assert_true(is_watched(0));
	for (int k = 0; k < BATCH + 1; k++)
		peers[k] = client();
	accept_now(&t.workers[0]);
	assert_int_equal(connections(0), BATCH);
	accept_now(&t.workers[0]);
	assert_int_equal(connections(0), BATCH + 1);
	assert_int_equal(t.service.descriptors.free, BUDGET - 2 * (BATCH + 1));
	accept_now(&t.workers[0]);
	assert_int_equal(t.service.descriptors.free, BUDGET - 2 * (BATCH + 1));
	assert_false(t.workers[0].paused);
	assert_int_equal(atomic_load(&t.service.accepting), 0);
	for (int k = 0; k < BATCH + 1; k++)
		close(peers[k]);
	end();
}

/* Those who came before the listener had its options have not inherited them. */
static void each_client_has_the_options(void **state)
{
	int before, after;

	(void)state;
	begin_with(1);
	before = client();
	accept_prepare(&t.service);
	after = client();
	accept_now(&t.workers[0]);
	assert_int_equal(connections(0), 2);
	for (const struct connection *c = t.workers[0].all; c; c = c->next) {
		int fd = c->ends[CLIENT].watch.fd;

		assert_int_not_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
		assert_int_not_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
		assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 9);
		assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 1);
		assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 8);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	}
	close(before);
	close(after);
	end();
}

static void keepalive_has_bounds(void **state)
{
	static const struct {
		uint64_t keepalive;
		int idle, interval; /* 0: none */
	} cases[] = {{0, 0, 0},
		     {USEC_INFINITY, 0, 0},
		     {1, 1, 1},
		     {7 * USEC_PER_SEC, 7, 1},
		     {8 * USEC_PER_SEC, 8, 1},
		     {16 * USEC_PER_SEC, 16, 2},
		     {32767 * USEC_PER_SEC, 32767, 4095},
		     {32768 * USEC_PER_SEC, 32767, 4095}};

	(void)state;
	begin_with(1);
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		int peer = client(), fd = accept_from(t.listener);

		t.config.keepalive = cases[k].keepalive;
		accept_adopt(&t.workers[0], &t.forwards[0], fd);
		assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), cases[k].idle != 0);
		if (cases[k].idle) {
			assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), cases[k].idle);
			assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), cases[k].interval);
		}
		close(peer);
	}
	end();
}

static void who_holds_is_told_by_the_address(void **state)
{
	struct cidr ranges[2];
	struct error err;

	(void)state;
	assert_int_equal(cidr_parse("10.0.0.0/8", &ranges[0], &err), 0);
	assert_int_equal(cidr_parse("127.0.0.0/8", &ranges[1], &err), 0);
	for (size_t n = 0; n <= 2; n++) {
		int peer;

		begin_with(1);
		t.config.no_hold = ranges;
		t.config.n_no_hold = n;
		peer = client();
		accept_now(&t.workers[0]);
		assert_int_equal(connections(0), 1);
		assert_int_equal(t.workers[0].all->holds, n < 2);
		close(peer);
		end();
	}
}

static void resume(uint64_t now)
{
	struct worker *w = &t.workers[0];

	w->loop.now = now;
	w->resume.when = USEC_INFINITY;
	w->resume.fire(&w->loop, &w->resume);
}

static void without_descriptors_they_wait(void **state)
{
	struct worker *w = &t.workers[0];
	int peers[2];

	(void)state;
	begin_with(1);
	t.service.descriptors.free = 3;
	for (int k = 0; k < 2; k++)
		peers[k] = client();
	accept_now(w);
	assert_int_equal(connections(0), 1);
	assert_int_equal(t.service.descriptors.free, 1);
	assert_true(w->paused);
	assert_false(w->shortage);
	assert_int_equal(count_get(&w->counters.full), 1);
	assert_int_equal(w->resume.when, 1000 + PAUSE_USEC);
	assert_int_equal(epoll_wait(w->loop.epoll_fd, &(struct epoll_event){0}, 1, 0), 0);
	/* Still none. */
	resume(5000);
	assert_true(w->paused);
	assert_int_equal(w->resume.when, 5000 + PAUSE_USEC);
	t.service.descriptors.free = 2;
	resume(9000);
	assert_false(w->paused);
	assert_int_equal(count_get(&w->counters.full), 0);
	assert_true(w->resume.when == USEC_INFINITY);
	assert_int_equal(epoll_wait(w->loop.epoll_fd, &(struct epoll_event){0}, 1, 0), 1);
	accept_now(w);
	assert_int_equal(connections(0), 2);
	for (int k = 0; k < 2; k++)
		close(peers[k]);
	end();
}

/* The kernel has fewer than our budget says. */
static void a_shortage_is_no_limit(void **state)
{
	struct worker *w = &t.workers[0];
	struct rlimit before, none;
	int peer;

	(void)state;
	begin_with(1);
	peer = client();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	accept_now(w);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(w->paused && w->shortage);
	assert_int_equal(count_get(&w->counters.full), 0);
	assert_int_equal(t.service.descriptors.free, BUDGET);
	assert_int_equal(w->resume.when, 1000 + PAUSE_USEC);
	resume(2000);
	assert_false(w->paused || w->shortage);
	accept_now(w);
	assert_int_equal(connections(0), 1);
	close(peer);
	end();
}

/* epoll_ctl(2) fails. */
static void what_cannot_be_watched_is_tried_again(void **state)
{
	struct worker *w = &t.workers[0];
	int epoll_fd;

	(void)state;
	begin_with(1);
	assert_true(w->resume.when == USEC_INFINITY);
	accept_resume(w); /* is watched already, which is no failure */
	assert_true(w->resume.when == USEC_INFINITY);
	epoll_fd = w->loop.epoll_fd;
	w->loop.epoll_fd = -1;
	accept_resume(w);
	assert_int_equal(w->resume.when, 1000 + PAUSE_USEC);
	w->loop.epoll_fd = epoll_fd;
	end();
}

static void who_stops_leaves_them_in_the_queue(void **state)
{
	struct worker *w = &t.workers[0];
	int peer;

	(void)state;
	begin_with(1);
	timer_set(&w->loop, &w->resume, 5000);
	accept_stop(w);
	assert_true(w->resume.when == USEC_INFINITY);
	assert_false(is_watched(0));
	atomic_store(&t.service.phase, DRAINING);
	w->paused = true;
	accept_resume(w);
	assert_true(w->paused);
	assert_false(is_watched(0));
	peer = client();
	assert_int_equal(connections(0), 0);
	close(peer);
	end();
}

/* With several workers nobody accepts once the first one looks whether it may end, but that one. */
static void nobody_accepts_behind_the_first_ones_back(void **state)
{
	int peer;

	(void)state;
	begin_with(2);
	t.workers[0].counters.connections = 1; /* the second one has fewer */
	peer = client();
	atomic_store(&t.service.leaving, true);
	accept_now(&t.workers[1]);
	assert_int_equal(connections(1), 0);
	assert_int_equal(atomic_load(&t.service.accepting), 0);
	atomic_store(&t.service.leaving, false);
	atomic_store(&t.service.phase, DRAINING);
	for (unsigned k = 0; k < 2; k++) {
		accept_now(&t.workers[k]);
		assert_int_equal(connections(1), 0);
		assert_int_equal(atomic_load(&t.service.accepting), 0);
	}
	atomic_store(&t.service.phase, SERVING);
	accept_now(&t.workers[1]);
	assert_int_equal(connections(1), 1);
	assert_int_equal(atomic_load(&t.service.accepting), 0);
	close(peer);
	/* The first one accepts also while it leaves. */
	t.workers[0].counters.connections = 0;
	atomic_store(&t.service.leaving, true);
	peer = client();
	accept_now(&t.workers[0]);
	assert_int_equal(connections(0), 1);
	close(peer);
	end();
}

static void exhaust_memory(void)
{
	const struct rlimit none = {};

	(void)setrlimit(RLIMIT_AS, &none);
	for (size_t size = 1 << 20; size >= 16; size /= 2) {
		while (malloc(size))
			;
	}
}

static void without_memory_a_client_is_reset(void **state)
{
	int peer, fd, status = 0;
	pid_t pid;

	(void)state;
	if (SANITIZED)
		return;
	begin_with(1);
	peer = client();
	fd = accept_from(t.listener);
	pid = fork();
	if (pid == 0) {
		exhaust_memory();
		accept_adopt(&t.workers[0], &t.forwards[0], fd);
		_exit(t.service.descriptors.free == BUDGET && fcntl(fd, F_GETFD) < 0 && connections(0) == 0 ? EXIT_YES
													    : 0);
	}
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_YES);
	assert_int_equal(next_end(peer), ECONNRESET);
	close(peer);
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_adopted_client_without_descriptors_is_reset),
		cmocka_unit_test(an_adopted_client_is_served),
		cmocka_unit_test(clients_are_taken_in_batches),
		cmocka_unit_test(each_client_has_the_options),
		cmocka_unit_test(keepalive_has_bounds),
		cmocka_unit_test(who_holds_is_told_by_the_address),
		cmocka_unit_test(without_descriptors_they_wait),
		cmocka_unit_test(a_shortage_is_no_limit),
		cmocka_unit_test(what_cannot_be_watched_is_tried_again),
		cmocka_unit_test(who_stops_leaves_them_in_the_queue),
		cmocka_unit_test(nobody_accepts_behind_the_first_ones_back),
		cmocka_unit_test(without_memory_a_client_is_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
