/* keeper/backlog.c: whom the kernel says to wait, with real sockets and real clients. */
#include "tests/unit/keeper_queue_fixture.h"

/* Listeners are told apart by address, not by port alone; each pair: one client is old, the other one young. */
static void assert_told_apart(const char *first, const char *second, const char *to_first, const char *to_second)
{
	int fd = bound_to(SOCK_STREAM, first, 0), other = second ? bound_to(SOCK_STREAM, second, port_of(fd)) : -1;
	struct queue q = queue_of((const int[]){fd, other, -1}, LIMIT);
	_cleanup_close_ int old = -1, young = -1;
	struct moment at_first = connected(&old, to_first), later;

	wait_msec(400);
	later = connected(&young, to_second);
	wait_until(at_first.after + LIMIT + SLACK);
	assert_int_equal(queue_expire(&q, now_usec()), 1);
	assert_true(was_reset(old));
	assert_true(is_open(young));
	assert_true(is_about(q.since, later));
	queue_refuse(&q);
	assert_true(was_reset(young));
	reserve();
}

static void listeners_are_told_apart(void **state)
{
	(void)state;
	assert_told_apart("127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.2");
	assert_told_apart("127.0.0.2", "127.0.0.1", "127.0.0.2", "127.0.0.1");
	/* The old one is in the queue that is looked at last. */
	assert_told_apart("127.0.0.1", "127.0.0.2", "127.0.0.2", "127.0.0.1");
	assert_told_apart("127.0.0.1", "::1", "127.0.0.1", "::1");
	assert_told_apart("127.0.0.1", "::1", "::1", "127.0.0.1");
	assert_told_apart("::1", "127.0.0.1", "::1", "127.0.0.1");
	assert_told_apart("0.0.0.0", NULL, "127.0.0.1", "127.0.0.9");
	assert_told_apart("::1", NULL, "::1", "::1");
}

/* One that is bound to IPv6 has IPv4 clients, too. */
static void mapped_addresses_are_seen(void **state)
{
	(void)state;
	assert_told_apart("::", NULL, "127.0.0.1", "::1");
	assert_told_apart("::", NULL, "::1", "127.0.0.1");
	assert_told_apart("::ffff:127.0.0.1", "::ffff:127.0.0.2", "127.0.0.1", "127.0.0.2");
	assert_told_apart("::ffff:127.0.0.1", "::ffff:127.0.0.2", "127.0.0.2", "127.0.0.1");
	assert_told_apart("::ffff:127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.2");
	assert_told_apart("::ffff:127.0.0.1", "127.0.0.2", "127.0.0.2", "127.0.0.1");
}

/* Those that somebody has accepted wait no longer, however old they are. */
static void who_is_served_is_not_counted(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	_cleanup_close_ int a = -1, b = -1, served = -1;
	struct moment first = connected(&a, "127.0.0.1"), later;

	(void)state;
	served = accept4(3, NULL, NULL, SOCK_CLOEXEC);
	assert_true(served >= 0);
	wait_msec(400);
	later = connected(&b, "127.0.0.1");
	wait_until(first.after + LIMIT + SLACK);
	assert_int_equal(queue_expire(&q, now_usec()), 0);
	assert_true(is_open(a));
	assert_true(is_open(b));
	assert_true(is_about(q.since, later));
	queue_refuse(&q);
}

/* More than fit into one answer of the kernel. */
static void long_queues_are_seen_whole(void **state)
{
	enum { N = 700 };
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0));
	uint16_t port = port_of(3);
	struct backlog b;
	int clients[N];

	(void)state;
	for (int k = 0; k < N; k++)
		clients[k] = client_of(SOCK_STREAM, NULL, "127.0.0.1", port);
	assert_int_equal(backlog_look(3, 0, &b), 0);
	assert_int_equal(b.old, N);
	wait_msec(LIMIT / USEC_PER_MSEC + 20);
	assert_int_equal(queue_expire(&q, now_usec()), N);
	for (int k = 0; k < N; k++) {
		assert_true(was_reset(clients[k]));
		close(clients[k]);
	}
}

static void what_is_no_tcp_listener_has_no_backlog(void **state)
{
	_cleanup_close_ int udp = bound_to(SOCK_DGRAM, "127.0.0.1", 0);
	struct backlog b;

	(void)state;
	assert_int_equal(backlog_look(-1, 0, &b), -1);
	assert_int_equal(backlog_look(LISTEN_FDS_START, 0, &b), -1); /* /dev/null */
	(void)udp;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(listeners_are_told_apart, setup),
		cmocka_unit_test_setup(mapped_addresses_are_seen, setup),
		cmocka_unit_test_setup(who_is_served_is_not_counted, setup),
		cmocka_unit_test_setup(long_queues_are_seen_whole, setup),
		cmocka_unit_test_setup(what_is_no_tcp_listener_has_no_backlog, setup),
	};

	(void)close_range(LISTEN_FDS_START, ~0U, 0); /* what make and others have left open */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
