/* A wake and a sleep of one container, each stopped in the middle, and what the other one then does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/activator_fixture.h"
#include "tests/unit/fault_fixture.h"

static int clear(void **state)
{
	return faults_clear(state) | teardown(state);
}

static void expect_sleep(struct fake_engine *f, const char *asked, const char *const *arguments)
{
	struct program p;

	assert_int_equal(program_run_kept(&p, arguments), 0);
	assert_string_equal(requests(f), asked);
	program_release(&p);
}

static void kill_at(struct fault *f, struct program *p)
{
	fault_await(f);
	kill(p->pid, SIGKILL);
	assert_int_equal(program_finish(p), -SIGKILL);
	fault_pass(f);
}

/* It has the lock, and has asked the engine nothing. */
static void a_wake_that_has_only_begun_is_not_put_to_sleep(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct fault locked = fault_at("wake:locked");
	struct program wake;

	(void)state;
	program_start_kept(&wake, ARGUMENTS(OPTIONS(f, "docker")));
	fault_await(&locked);
	expect_sleep(&f, "", ARGUMENTS("--sleep", OPTIONS(f, "docker")));
	fault_pass(&locked);
	assert_int_equal(program_finish(&wake), 0);
	assert_string_equal(requests(&f), "POST start GET json GET json");
	assert_true(wake.woken.n_fds > 0);
	program_release(&wake);
	fake_stop(&f);
}

/* The engine has started it, and nobody knows: it is a wake's own run all the same. */
static void what_a_killed_wake_has_started_is_put_to_sleep(void **state)
{
	START(f, SAY(EXITED), SAY(NO_CONTENT), SAY(running()), SAY(NO_CONTENT), SAY(EXITED));
	struct fault answered = fault_at("wake:answered");
	struct program wake;

	(void)state;
	program_start_kept(&wake, ARGUMENTS(OPTIONS(f, "docker"), "--keep-running"));
	kill_at(&answered, &wake);
	assert_int_equal(wake.woken.n_fds, 0);
	program_release(&wake);
	assert_string_equal(requests(&f), "GET json POST start");
	expect_sleep(&f, "GET json POST stop GET json", ARGUMENTS("--sleep", OPTIONS(f, "docker"), "--keep-running"));
	fake_stop(&f);
}

/* It has told the keeper: the locks are the keeper's, whatever becomes of the activator. */
static void the_locks_outlive_the_activator(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(EXITED));
	struct fault told = fault_at("wake:told");
	struct program wake;

	(void)state;
	program_start_kept(&wake, ARGUMENTS(OPTIONS(f, "docker")));
	kill_at(&told, &wake);
	assert_true(wake.woken.n_fds > 0);
	assert_string_equal(requests(&f), "POST start GET json GET json");
	expect_sleep(&f, "", ARGUMENTS("--sleep", OPTIONS(f, "docker")));
	program_release(&wake);
	expect_sleep(&f, "GET json POST stop GET json", ARGUMENTS("--sleep", OPTIONS(f, "docker")));
	fake_stop(&f);
}

/* A wake that comes while it is put to sleep starts it afterwards, and not before. */
static void a_wake_waits_for_the_end_of_a_sleep(void **state)
{
	static const char *const steps[] = {"sleep:decided", "sleep:stopped"};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		START(f, SAY(running()), SAY(NO_CONTENT), SAY(EXITED), SAY(NO_CONTENT), SAY(running()), SAY(running()));
		struct fault step = fault_at(steps[i]), waits = fault_at("lock:waits");
		struct program sleep, wake;

		program_start_kept(&sleep, ARGUMENTS("--sleep", OPTIONS(f, "docker")));
		fault_await(&step);
		program_start_kept(&wake, ARGUMENTS(OPTIONS(f, "docker")));
		fault_await(&waits);
		fault_pass(&waits);
		fault_pass(&step);
		assert_int_equal(program_finish(&sleep), 0);
		assert_int_equal(program_finish(&wake), 0);
		assert_true(wake.woken.n_fds > 0);
		assert_string_equal(requests(&f), "GET json POST stop GET json POST start GET json GET json");
		program_release(&sleep);
		program_release(&wake);
		fake_stop(&f);
		faults_clear(state);
	}
}

/* Its first process ends between two looks, and the engine has not noticed: the next run is the one that counts. */
static void a_process_that_ends_while_it_is_looked_at(void **state)
{
	pid_t first = fork();

	if (first == 0) {
		pause();
		_exit(0);
	}

	START(f, SAY(NO_CONTENT), SAY(inspection("running", first, STARTED, "")),
	      SAY(inspection("running", first, STARTED, "")), SAY(running()), SAY(running()));
	struct fault opened = fault_at("pin:opened");
	struct program wake;

	(void)state;
	program_start_kept(&wake, ARGUMENTS(OPTIONS(f, "docker")));
	fault_await(&opened);
	kill(first, SIGKILL);
	assert_int_equal(waitpid(first, NULL, 0), first);
	fault_pass(&opened);
	assert_int_equal(program_finish(&wake), 0);
	assert_string_equal(wake.failed, "");
	assert_int_equal(wake.stats->container_pid, container_process());
	program_release(&wake);
	fake_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_wake_that_has_only_begun_is_not_put_to_sleep, setup, clear),
		cmocka_unit_test_setup_teardown(what_a_killed_wake_has_started_is_put_to_sleep, setup, clear),
		cmocka_unit_test_setup_teardown(the_locks_outlive_the_activator, setup, clear),
		cmocka_unit_test_setup_teardown(a_wake_waits_for_the_end_of_a_sleep, setup, clear),
		cmocka_unit_test_setup_teardown(a_process_that_ends_while_it_is_looked_at, setup, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
