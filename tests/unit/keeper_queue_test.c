/* Who waits, who may wake, and since when: with real sockets and real clients. */
#include "tests/unit/keeper_queue_fixture.h"

static void what_is_handed_over_is_set_right(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0), bound_to(SOCK_DGRAM, "127.0.0.1", 0));

	(void)state;
	assert_int_equal(q.n, 2);
	assert_true(q.stream[0]);
	assert_false(q.stream[1]);
	for (int k = 0; k < 2; k++) {
		assert_int_equal(fcntl(LISTEN_FDS_START + k, F_GETFD), FD_CLOEXEC);
		assert_true(fcntl(LISTEN_FDS_START + k, F_GETFL) & O_NONBLOCK);
	}
	assert_int_equal(bind_beside(LISTEN_FDS_START + 1), EADDRINUSE);
	assert_false(queue_waits(&q));
	assert_true(queue_deadline(&q) == USEC_INFINITY);
}

static void a_queue_of_datagrams(void **state)
{
	struct queue q = {.n = 2, .stream = {[2] = true}};

	(void)state;
	assert_true(queue_is_of_datagrams(&q));
	q.stream[1] = true;
	assert_false(queue_is_of_datagrams(&q));
	q.n = 0;
	assert_false(queue_is_of_datagrams(&q));
}

static void what_is_no_socket_is_refused(void **state)
{
	struct queue q;
	struct error err;
	char text[16];

	(void)state;
	snprintf(text, sizeof(text), "%d", getpid());
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", "1", 1);
	assert_int_equal(queue_open(&q, LIMIT, &err), -1);
	assert_non_null(strstr(err.text, "descriptor 3 from the service manager is no usable socket"));
	setenv("LISTEN_FDS", "257", 1);
	assert_int_equal(queue_open(&q, LIMIT, &err), -1);
	assert_non_null(strstr(err.text, "more than 256 sockets"));
	setenv("LISTEN_FDS", "many", 1);
	assert_int_equal(queue_open(&q, LIMIT, &err), -1);
	unsetenv("LISTEN_FDS");
	assert_int_equal(queue_open(&q, LIMIT, &err), 0);
	assert_int_equal(q.n, 0);
	assert_false(queue_waits(&q));
}

static void excluded_sources_do_not_wake(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0), bound_to(SOCK_DGRAM, "127.0.0.1", 0));
	const struct cidr ranges[] = {range("127.0.0.2"), range("127.1.0.0/16")};
	uint16_t port = port_of(3), udp = port_of(4);
	_cleanup_close_ int a = client_of(SOCK_STREAM, "127.0.0.2", "127.0.0.1", port);
	_cleanup_close_ int b = client_of(SOCK_STREAM, "127.1.2.3", "127.0.0.1", port);
	_cleanup_close_ int u = client_of(SOCK_DGRAM, "127.0.0.2", "127.0.0.1", udp);

	(void)state;
	assert_false(queue_admit(&q, ranges, 2));
	assert_true(was_reset(a));
	assert_true(was_reset(b));
	assert_false(queue_waits(&q)); /* the datagram is gone, too */
}

static void others_wake_and_are_reset_by_a_failure(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	const struct cidr ranges[] = {range("127.0.0.2")};
	_cleanup_close_ int a = client_of(SOCK_STREAM, "127.0.0.2", "127.0.0.1", port_of(3));
	_cleanup_close_ int b = client_of(SOCK_STREAM, "127.0.0.3", "127.0.0.1", port_of(3));
	_cleanup_close_ int c = -1;

	(void)state;
	assert_true(queue_admit(&q, ranges, 1));
	assert_int_equal(q.n_accepted, 1);
	assert_true(was_reset(a));
	assert_true(is_open(b));
	assert_true(queue_waits(&q));
	c = client_of(SOCK_STREAM, "127.0.0.2", "127.0.0.1", port_of(3)); /* still in the backlog */
	queue_refuse(&q);
	assert_true(was_reset(b));
	assert_true(was_reset(c));
	assert_false(queue_waits(&q));
	assert_true(queue_deadline(&q) == USEC_INFINITY);
}

/* Whatever ends the keeper in between resets them. */
static void an_accepted_client_is_reset_by_any_end(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	_cleanup_close_ int a = client_of(SOCK_STREAM, NULL, "127.0.0.1", port_of(3));

	(void)state;
	assert_true(queue_admit(&q, NULL, 0));
	close(q.accepted[0].fd);
	assert_true(was_reset(a));
}

static void a_datagram_from_elsewhere_wakes_and_stays(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_DGRAM, "127.0.0.1", 0));
	const struct cidr ranges[] = {range("127.0.0.2")};
	_cleanup_close_ int a = client_of(SOCK_DGRAM, "127.0.0.2", "127.0.0.1", port_of(3));
	_cleanup_close_ int b = client_of(SOCK_DGRAM, "127.0.0.3", "127.0.0.1", port_of(3));

	(void)state;
	assert_true(queue_admit(&q, ranges, 1));
	assert_int_equal(q.n_accepted, 0);
	assert_int_equal(recv(3, &(char){0}, 1, MSG_DONTWAIT), 1);
	assert_int_equal(recv(3, &(char){0}, 1, MSG_DONTWAIT), -1); /* only the second one was left */
}

static void as_many_are_accepted_as_can_be_handed_down(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	const struct cidr ranges[] = {range("127.0.0.2")};
	char text[QUEUE_TEXT_MAX], first[32];
	int clients[ACCEPTED_MAX + 10];

	(void)state;
	for (size_t i = 0; i < ACCEPTED_MAX + 10; i++)
		clients[i] = client_of(SOCK_STREAM, i == 5 ? "127.0.0.2" : "127.0.0.3", "127.0.0.1", port_of(3));
	assert_true(queue_admit(&q, ranges, 1));
	assert_int_equal(q.n_accepted, ACCEPTED_MAX);
	assert_true(was_reset(clients[5]));
	assert_true(is_open(clients[0]));
	assert_true(is_open(clients[ACCEPTED_MAX + 9]));
	snprintf(first, sizeof(first), "%d:0,", q.accepted[0].fd);
	assert_ptr_equal(strstr(queue_accepted_text(&q, text), first), text);
	assert_null(strstr(text, ",,"));
	assert_true(text[strlen(text) - 1] == '0');
	/* The proxy, which has copies, serves them then. */
	close(dup(q.accepted[0].fd));
	queue_forget_accepted(&q);
	assert_string_equal(queue_accepted_text(&q, text), "");
	assert_true(queue_waits(&q)); /* the others */
	for (size_t i = 0; i < ACCEPTED_MAX + 10; i++)
		close(clients[i]);
}

/* Who came late stays in the backlog, for as long as the limit is. */
static void each_waits_as_long_as_the_limit(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	_cleanup_close_ int a = -1, b = -1;
	struct moment first = connected(&a, "127.0.0.1"), second;

	(void)state;
	q.since = first.before;
	assert_true(queue_deadline(&q) == first.before + LIMIT);
	wait_msec(400);
	second = connected(&b, "127.0.0.1");
	wait_until(first.after + LIMIT + SLACK);
	assert_int_equal(queue_expire(&q, now_usec()), 1);
	assert_true(was_reset(a));
	assert_true(is_open(b));
	assert_true(is_readable(3));
	assert_int_equal(q.n_accepted, 0);
	assert_true(is_about(q.since, second));
	/* Nothing to do before that. */
	assert_int_equal(queue_expire(&q, now_usec()), 0);
	assert_true(is_open(b));
	wait_until(second.after + LIMIT + SLACK);
	assert_int_equal(queue_expire(&q, now_usec()), 1);
	assert_true(was_reset(b));
	assert_true(queue_deadline(&q) == USEC_INFINITY);
}

/* What it has sent meanwhile makes no client younger. */
static void data_makes_nobody_younger(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	_cleanup_close_ int a = -1;
	struct moment first = connected(&a, "127.0.0.1");
	struct backlog b;

	(void)state;
	wait_msec(300);
	assert_int_equal(send(a, "hello", 5, 0), 5);
	wait_msec(100);
	assert_int_equal(backlog_look(3, LIMIT, &b), 0);
	assert_int_equal(b.old, 0);
	assert_true(is_about(now_usec() - b.oldest_age, first));
	assert_int_equal(backlog_look(3, 300 * USEC_PER_MSEC, &b), 0);
	assert_int_equal(b.old, 1);
	assert_true(b.oldest_age == USEC_INFINITY);
	assert_true(queue_admit(&q, NULL, 0));
	assert_true(is_about(q.accepted[0].arrived, first));
	assert_true(is_about(q.since, first));
	wait_until(first.after + LIMIT + SLACK);
	assert_int_equal(queue_expire(&q, now_usec()), 1);
	assert_true(was_reset(a));
	assert_int_equal(q.n_accepted, 0);
}

static void accepted_clients_wait_no_longer_either(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	_cleanup_close_ int a = -1, b = -1;
	struct moment first = connected(&a, "127.0.0.1"), second;

	(void)state;
	assert_true(queue_admit(&q, NULL, 0));
	wait_msec(300);
	second = connected(&b, "127.0.0.1");
	assert_true(queue_admit(&q, NULL, 0));
	assert_int_equal(q.n_accepted, 2);
	assert_true(is_about(q.since, first));
	wait_until(first.after + LIMIT + SLACK);
	assert_int_equal(queue_expire(&q, now_usec()), 1);
	assert_true(was_reset(a));
	assert_true(is_open(b));
	assert_int_equal(q.n_accepted, 1);
	assert_true(is_about(q.since, second));
	queue_refuse(&q);
	assert_true(was_reset(b));
}

/* A Unix socket cannot be disconnected: a client must see the end also while a proxy holds a copy. */
static void an_accepted_client_of_a_unix_socket_sees_the_end(void **state)
{
	struct queue q = {};
	_cleanup_close_ int copy = -1, client = -1;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	client = pair[1];
	copy = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
	q.accepted[q.n_accepted++] = (struct client){.fd = pair[0], .arrived = now_usec()};
	queue_refuse(&q);
	assert_true(was_ended(client));
	assert_int_equal(q.n_accepted, 0);
}

/* One that gave up is still in the queue, in front of the others; it is not counted for one of them. */
static void who_gave_up_saves_nobody_and_costs_nobody(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	uint64_t began = now_usec();
	int gone = client_of(SOCK_STREAM, NULL, "127.0.0.1", port_of(3));
	_cleanup_close_ int a = client_of(SOCK_STREAM, NULL, "127.0.0.1", port_of(3)), b = -1, c = -1;

	(void)state;
	reset_own(gone);
	wait_msec(300);
	b = client_of(SOCK_STREAM, NULL, "127.0.0.1", port_of(3));
	gone = client_of(SOCK_STREAM, NULL, "127.0.0.1", port_of(3));
	c = client_of(SOCK_STREAM, NULL, "127.0.0.1", port_of(3));
	reset_own(gone);
	wait_until(began + LIMIT + SLACK);
	assert_int_equal(queue_expire(&q, now_usec()), 1);
	assert_true(was_reset(a));
	assert_true(is_open(b));
	assert_true(is_open(c));
	wait_msec(LIMIT / USEC_PER_MSEC);
	assert_int_equal(queue_expire(&q, now_usec()), 2);
	assert_true(was_reset(b));
	assert_true(was_reset(c));
	assert_false(queue_waits(&q));
}

static struct rlimit without_descriptors(void)
{
	struct rlimit before, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return before;
}

/* Standard input gives its number to each of them in turn. */
static void the_overdue_are_reset_without_a_descriptor(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	_cleanup_close_ int a = client_of(SOCK_STREAM, NULL, "127.0.0.1", port_of(3));
	_cleanup_close_ int b = client_of(SOCK_STREAM, NULL, "127.0.0.1", port_of(3));
	struct cidr elsewhere = range("192.0.2.0/24");
	struct rlimit before = without_descriptors();

	(void)state;
	/* whether they may wake the container cannot be found out: the wake is to say why */
	assert_true(queue_admit(&q, &elsewhere, 1));
	assert_int_equal(q.n_accepted, 0);
	wait_msec((LIMIT + SLACK) / USEC_PER_MSEC);
	assert_int_equal(queue_expire(&q, now_usec()), 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(was_reset(a));
	assert_true(was_reset(b));
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
}

/* A client that has said all it wants to say waits as well (echo x | nc). */
static void half_closed_clients_wait_as_well(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	uint64_t began = now_usec();
	_cleanup_close_ int a = client_of(SOCK_STREAM, NULL, "127.0.0.1", port_of(3)), b = -1;

	(void)state;
	assert_int_equal(send(a, "x", 1, 0), 1);
	assert_int_equal(shutdown(a, SHUT_WR), 0);
	wait_msec(300);
	b = client_of(SOCK_STREAM, NULL, "127.0.0.1", port_of(3));
	assert_int_equal(shutdown(b, SHUT_WR), 0);
	wait_until(began + LIMIT + SLACK);
	assert_int_equal(queue_expire(&q, now_usec()), 1);
	assert_true(was_reset(a));
	assert_true(is_open(b));
	queue_refuse(&q);
}

/* The kernel does not say since when they wait, so that all of them came with the first. */
static void unix_clients_came_with_the_first(void **state)
{
	char path[64];
	_cleanup_close_ int a = -1, b = -1, c = -1;
	uint64_t began;
	struct queue q;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/sockwake-queue-%d.sock", getpid());
	(void)unlink(path);
	q = QUEUE(LIMIT, bound_to(SOCK_STREAM, path, 0), bound_to(SOCK_DGRAM, "127.0.0.1", 0));
	a = client_of(SOCK_STREAM, NULL, path, 0);
	b = client_of(SOCK_DGRAM, NULL, "127.0.0.1", port_of(4));
	q.since = began = now_usec();
	assert_true(queue_waits(&q));
	assert_true(queue_admit(&q, NULL, 0));
	assert_true(q.accepted[0].arrived == began);
	c = client_of(SOCK_STREAM, NULL, path, 0);
	wait_until(began + LIMIT);
	assert_int_equal(queue_expire(&q, now_usec()), 2);
	assert_true(was_ended(a));
	assert_true(was_ended(c));
	assert_false(queue_waits(&q));
	assert_true(queue_deadline(&q) == USEC_INFINITY);
	(void)unlink(path);
}

static void without_a_limit_everybody_waits(void **state)
{
	struct queue q = QUEUE(USEC_INFINITY, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	_cleanup_close_ int a = client_of(SOCK_STREAM, NULL, "127.0.0.1", port_of(3));

	(void)state;
	q.since = now_usec();
	assert_true(queue_deadline(&q) == USEC_INFINITY);
	assert_int_equal(queue_expire(&q, now_usec()), 0);
	assert_true(is_open(a));
	assert_true(queue_admit(&q, NULL, 0));
	assert_int_equal(queue_expire(&q, now_usec()), 0);
	assert_true(is_open(a));
	queue_refuse(&q);
}

/* What is written on standard error from here on; NULL: the text up to now. */
static const char *overhear(bool begin)
{
	static char text[8192];
	static int before, said;
	ssize_t n;

	fflush(stderr);
	if (begin) {
		before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 200);
		said = memfd_create("said", MFD_CLOEXEC);
		assert_true(dup2(said, STDERR_FILENO) >= 0);
		return NULL;
	}
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	n = pread(said, text, sizeof(text) - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	close(before);
	close(said);
	return text;
}

/* The debug level names who is admitted, and some of those who are not. */
static void who_comes_is_named(void **state)
{
	static const struct {
		const char *listens, *source;
		int type;
	} cases[] = {
		{"127.0.0.1", "127.0.0.9", SOCK_STREAM},
		{"::1", "::1", SOCK_STREAM},
		{"127.0.0.1", "127.0.0.9", SOCK_DGRAM},
	};
	const char *said;
	char line[128];

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		for (int excluded = 0; excluded < 2; excluded++) {
			struct cidr from = range(strchr(cases[k].source, ':') ? "::1" : "127.0.0.9");
			int listener = bound_to(cases[k].type, cases[k].listens, 0), client;
			struct queue q;

			client = client_of(cases[k].type, cases[k].source, cases[k].listens, port_of(listener));
			q = QUEUE(LIMIT, listener);
			overhear(true);
			log_is_debug = true;
			assert_int_equal(queue_admit(&q, &from, excluded), !excluded);
			log_is_debug = false;
			said = overhear(false);
			snprintf(line, sizeof(line), "%s %s", cases[k].source,
				 excluded ? "may not wake" : "is admitted");
			if (!strstr(said, line))
				fail_msg("'%s' does not say '%s'", said, line);
			queue_refuse(&q);
			close(client);
		}
	}
}

static void a_crowd_is_not_named(void **state)
{
	struct cidr from = range("127.0.0.9");
	int listener = bound_to(SOCK_STREAM, "127.0.0.1", 0), clients[40];
	const char *said;
	unsigned named = 0;
	struct queue q;

	(void)state;
	for (size_t k = 0; k < 40; k++)
		clients[k] = client_of(SOCK_STREAM, "127.0.0.9", "127.0.0.1", port_of(listener));
	q = QUEUE(LIMIT, listener);
	overhear(true);
	log_is_debug = true;
	assert_false(queue_admit(&q, &from, 1));
	log_is_debug = false;
	for (said = overhear(false); (said = strstr(said, "may not wake")); said++)
		named++;
	assert_in_range(named, 1, 39);
	for (size_t k = 0; k < 40; k++)
		close(clients[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_handed_over_is_set_right, setup),
		cmocka_unit_test_setup(who_comes_is_named, setup),
		cmocka_unit_test_setup(a_crowd_is_not_named, setup),
		cmocka_unit_test(a_queue_of_datagrams),
		cmocka_unit_test_setup(what_is_no_socket_is_refused, setup),
		cmocka_unit_test_setup(excluded_sources_do_not_wake, setup),
		cmocka_unit_test_setup(others_wake_and_are_reset_by_a_failure, setup),
		cmocka_unit_test_setup(an_accepted_client_is_reset_by_any_end, setup),
		cmocka_unit_test_setup(a_datagram_from_elsewhere_wakes_and_stays, setup),
		cmocka_unit_test_setup(as_many_are_accepted_as_can_be_handed_down, setup),
		cmocka_unit_test_setup(each_waits_as_long_as_the_limit, setup),
		cmocka_unit_test_setup(data_makes_nobody_younger, setup),
		cmocka_unit_test_setup(accepted_clients_wait_no_longer_either, setup),
		cmocka_unit_test_setup(an_accepted_client_of_a_unix_socket_sees_the_end, setup),
		cmocka_unit_test_setup(who_gave_up_saves_nobody_and_costs_nobody, setup),
		cmocka_unit_test_setup(the_overdue_are_reset_without_a_descriptor, setup),
		cmocka_unit_test_setup(half_closed_clients_wait_as_well, setup),
		cmocka_unit_test_setup(unix_clients_came_with_the_first, setup),
		cmocka_unit_test_setup(without_a_limit_everybody_waits, setup),
	};

	(void)close_range(LISTEN_FDS_START, ~0U, 0); /* what make and others have left open */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
