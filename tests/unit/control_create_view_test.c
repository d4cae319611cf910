/* control/create_view.c: a process that the engine names, and that is not here. */
#include "backends/engine.h"
#include "control/create_view.h"
#include "tests/unit/activator_fixture.h"
#include "tests/unit/engine_fixture.h"

#define RUNNING(pid) inspection("running", pid, STARTED, "")

static pid_t ended_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	return pid;
}

static int look(struct fake_engine *f, struct error *err)
{
	_cleanup_engine_ struct engine *e = engine_opened(f, BACKEND_DOCKER);
	_cleanup_container_ struct container c = {};

	assert_int_equal(e->backend->inspect(e, "x", &c, err), 0);
	return create_view_check(e, &c, NULL, err);
}

/* The engine notices the end only after it was asked again. */
static void one_that_has_just_ended_is_no_foreign_one(void **state)
{
	pid_t gone = ended_process();
	START(f, SAY(RUNNING(gone)), SAY(RUNNING(gone)), SAY(RUNNING(gone)), SAY(inspection("exited", 0, STARTED, "")));
	struct error err = {};

	(void)state;
	if (look(&f, &err) < 0)
		fail_msg("%s", err.text);
	fake_stop(&f);
}

static void one_that_the_engine_insists_on_is(void **state)
{
	struct exchange script[100];
	const char *running = RUNNING(getpid());
	struct fake_engine f;
	struct error err = {};

	(void)state;
	for (size_t k = 0; k < 100; k++)
		script[k] = (struct exchange)SAY(running);
	fake_start(&f, script, 100);
	assert_int_equal(look(&f, &err), -1);
	assert_non_null(strstr(err.text, "engines in a virtual machine"));
	fake_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_has_just_ended_is_no_foreign_one),
		cmocka_unit_test(one_that_the_engine_insists_on_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
