/* The pool of pipes: which one is lent, when none is, and what each costs of the budget. */
#include "relay/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BUDGET	 1000
#define MOST	 64   /* pipes at a time */
#define KEPT	 8    /* that nobody needs */
#define SKIPPED	 1024 /* takes after one that failed */
#define NOBODY	 54321
#define EXIT_YES 42

static struct descriptors descriptors;
static struct pipe_pool pool;
static struct pipe *taken[MOST];

static int begin(void **state)
{
	(void)state;
	descriptors.free = BUDGET;
	pool = (struct pipe_pool){.descriptors = &descriptors};
	return 0;
}

static void take(size_t n)
{
	for (size_t k = 0; k < n; k++)
		assert_non_null(taken[k] = pipe_take(&pool));
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int end(void **state)
{
	(void)state;
	while (pool.n_free > 0) {
		struct pipe *p = pool.free;

		pool.free = p->next;
		pool.n_free--;
		pipe_discard(&pool, p);
	}
	assert_int_equal(pool.count, 0);
	assert_int_equal(descriptors.free, BUDGET);
	return 0;
}

static void a_pipe_is_large_and_never_waits(void **state)
{
	struct pipe *p = pipe_take(&pool);
	char byte;

	(void)state;
	assert_non_null(p);
	assert_int_equal(descriptors.free, BUDGET - 2);
	assert_true(fcntl(p->in, F_GETPIPE_SZ) >= 64 << 10);
	assert_int_equal(read(p->out, &byte, 1), -1);
	assert_int_equal(write(p->in, "x", 1), 1);
	assert_int_equal(read(p->out, &byte, 1), 1);
	assert_int_equal(fcntl(p->in, F_GETFD) & fcntl(p->out, F_GETFD), FD_CLOEXEC);
	pipe_discard(&pool, p);
}

/* Its memory is still in the processor's cache. */
static void the_last_one_given_is_the_next_one_taken(void **state)
{
	(void)state;
	take(3);
	pipe_give(&pool, taken[0]);
	pipe_give(&pool, taken[2]);
	assert_int_equal(pool.n_free, 2);
	assert_ptr_equal(pipe_take(&pool), taken[2]);
	assert_ptr_equal(pipe_take(&pool), taken[0]);
	assert_int_equal(pool.n_free, 0);
	assert_int_equal(pool.count, 3);
	for (size_t k = 0; k < 3; k++)
		pipe_give(&pool, taken[k]);
}

static void a_few_are_kept(void **state)
{
	int in, out;

	(void)state;
	take(KEPT + 1);
	for (size_t k = 0; k < KEPT; k++)
		pipe_give(&pool, taken[k]);
	assert_int_equal(pool.count, KEPT + 1);
	assert_int_equal(descriptors.free, BUDGET - 2 * (KEPT + 1));
	in = taken[KEPT]->in;
	out = taken[KEPT]->out;
	pipe_give(&pool, taken[KEPT]);
	assert_int_equal(pool.count, KEPT);
	assert_int_equal(pool.n_free, KEPT);
	assert_false(is_open(in) || is_open(out));
	assert_int_equal(descriptors.free, BUDGET - 2 * KEPT);
	assert_true(is_open(taken[0]->in) && is_open(taken[0]->out));
}

static void expect_a_pause(void)
{
	for (size_t k = 0; k < SKIPPED; k++)
		assert_null(pipe_take(&pool));
}

static void more_are_not_made(void **state)
{
	struct pipe *last;

	(void)state;
	take(MOST);
	assert_null(pipe_take(&pool));
	assert_int_equal(descriptors.free, BUDGET - 2 * MOST);
	/* There is room again, but nobody looks for a while. */
	pipe_discard(&pool, taken[0]);
	expect_a_pause();
	assert_non_null(last = pipe_take(&pool));
	assert_int_equal(pool.count, MOST);
	pipe_discard(&pool, last);
	for (size_t k = 1; k < MOST; k++)
		pipe_discard(&pool, taken[k]);
}

/* One that was given back meanwhile is lent all the same. */
static void a_pause_concerns_new_ones_alone(void **state)
{
	(void)state;
	take(1);
	descriptors.free = 1;
	assert_null(pipe_take(&pool));
	assert_int_equal(descriptors.free, 1);
	pipe_give(&pool, taken[0]);
	assert_ptr_equal(pipe_take(&pool), taken[0]);
	descriptors.free = BUDGET - 2;
	expect_a_pause();
	pipe_give(&pool, taken[0]);
}

/* Says yes by its exit status. */
static bool child_says(bool (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body() ? EXIT_YES : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_YES;
}

static bool costs_nothing_where_none_can_be_opened(void)
{
	const struct rlimit none = {};

	return setrlimit(RLIMIT_NOFILE, &none) == 0 && !pipe_take(&pool) && descriptors.free == BUDGET &&
	       pool.count == 0;
}

static void what_the_kernel_refuses_costs_nothing(void **state)
{
	(void)state;
	assert_true(child_says(costs_nothing_where_none_can_be_opened));
}

/* The kernel makes those of a user with many pipes of two pages each, or one (pipe(7), pipe-user-pages-soft). */
static bool refuses_tiny_ones(void)
{
	const struct rlimit many = {.rlim_cur = 4096, .rlim_max = 4096};
	int fds[2], next;

	(void)setrlimit(RLIMIT_NOFILE, &many);
	/* Root is spared the limit. Who is root of a user namespace alone is not, and cannot become this user. */
	if (setresuid(NOBODY, NOBODY, NOBODY) < 0 && errno != EINVAL)
		return false;
	do {
		if (pipe2(fds, O_CLOEXEC) < 0)
			return false;
	} while (fcntl(fds[0], F_SETPIPE_SZ, PIPE_SIZE) >= 0 || fcntl(fds[0], F_GETPIPE_SZ) >= 64 << 10);
	next = dup(0);
	close(next);
	return !pipe_take(&pool) && descriptors.free == BUDGET && dup(0) == next && dup(0) == next + 1;
}

static void tiny_ones_are_not_worth_it(void **state)
{
	(void)state;
	assert_true(child_says(refuses_tiny_ones));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_pipe_is_large_and_never_waits, begin, end),
		cmocka_unit_test_setup_teardown(the_last_one_given_is_the_next_one_taken, begin, end),
		cmocka_unit_test_setup_teardown(a_few_are_kept, begin, end),
		cmocka_unit_test_setup_teardown(more_are_not_made, begin, end),
		cmocka_unit_test_setup_teardown(a_pause_concerns_new_ones_alone, begin, end),
		cmocka_unit_test_setup_teardown(what_the_kernel_refuses_costs_nothing, begin, end),
		cmocka_unit_test_setup_teardown(tiny_ones_are_not_worth_it, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
