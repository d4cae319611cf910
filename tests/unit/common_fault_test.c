/* Who stands still at a fault point, and who does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "common/fault.h"
#include "tests/unit/fault_fixture.h"

static void *reach(void *point)
{
	errno = ELOOP;
	fault_reach(point);
	return errno == ELOOP ? point : NULL;
}

static void expect_to_have_passed(pthread_t thread, const char *point)
{
	void *result;

	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, point);
}

static void only_where_a_test_wants_it(void **state)
{
	struct fault other = fault_at("here:too");
	char here[] = "here";

	(void)state;
	assert_ptr_equal(reach(here), here);
	assert_int_equal(poll(&(struct pollfd){.fd = other.fd, .events = POLLIN}, 1, 0), 0);
	faults_clear(state);
	assert_ptr_equal(reach(here), here);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* The others go on; a signal does not let go. */
static void a_thread_stands_until_it_is_told(void **state)
{
	struct fault a = fault_at("a"), b = fault_at("b");
	struct sigaction sa = {.sa_handler = on_signal};
	pthread_t threads[2];
	char names[][2] = {"a", "b"};

	(void)state;
	sigaction(SIGUSR1, &sa, NULL);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reach, names[i]), 0);
	fault_await(&a);
	fault_await(&b);
	assert_int_equal(a.pid, getpid());
	assert_int_not_equal(a.tid, b.tid);
	pthread_kill(threads[0], SIGUSR1);
	fault_go_on(&b);
	expect_to_have_passed(threads[1], names[1]);
	assert_int_equal(pthread_tryjoin_np(threads[0], NULL), EBUSY);
	fault_pass(&a);
	expect_to_have_passed(threads[0], names[0]);
	assert_ptr_equal(reach(names[0]), names[0]);
}

static void the_sockets_of_all_points(void **state)
{
	int fds[FAULT_SOCKETS_MAX];

	(void)state;
	assert_int_equal(fault_sockets(fds), 0);
	for (int i = 0; i < FAULT_SOCKETS_MAX; i++)
		(void)fault_at("point");
	assert_int_equal(fault_sockets(fds), FAULT_SOCKETS_MAX);
	for (int i = 0; i < FAULT_SOCKETS_MAX; i++)
		assert_int_equal(fds[i], FAULT_FD + i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(only_where_a_test_wants_it, faults_clear),
		cmocka_unit_test_teardown(a_thread_stands_until_it_is_told, faults_clear),
		cmocka_unit_test_teardown(the_sockets_of_all_points, faults_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
