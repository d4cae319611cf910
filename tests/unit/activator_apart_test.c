/* What is left to others when a keeper was killed: to the next keeper, or to a service of its own. Engine and service
 * manager are fakes. */
#include <sys/stat.h>

#include "activator/apart.h"
#include "common/log.h"
#include "tests/unit/activator_unit_fixture.h"
#include "units/paths.h"

#define SERVICE "sockwake-sleep:t.service"

static void keeper_was_killed(void)
{
	setenv("SERVICE_RESULT", "signal", 1);
	setenv("EXIT_CODE", "killed", 1);
	setenv("EXIT_STATUS", "KILL", 1);
}

/* Somebody stops the instance's service. */
static void is_being_stopped(void)
{
	fake_set(&manager, "t.service", "Job", "3");
	fake_set(&manager, "job/3", "JobType", "stop");
}

#define BY_HAND(f) ARGUMENTS("--sleep", "--scope", "user", OPTIONS(f, "docker"))

static void the_next_keeper_does_it(void **state)
{
	START(f, SAY(running()));
	struct program p;
	uint64_t began = now_usec();

	(void)state;
	keeper_was_killed();
	fake_set(&manager, "t.service", "Job", "3");
	fake_set(&manager, "job/3", "JobType", "restart");
	assert_int_equal(program_run(&p, NULL, BY_HAND(f)), 0);
	assert_true(msec_since(began) >= 800);
	assert_string_equal(requests(&f), "");
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

/* Its service is being stopped, so there is none. */
static void a_service_of_its_own_does_it(void **state)
{
	START(f, SAY(running()));
	const char *calls;
	struct program p;

	(void)state;
	keeper_was_killed();
	is_being_stopped();
	fake_set(&manager, SERVICE, "start", "pending");
	fake_on(&manager, (struct fake_event){"Get " SERVICE " ActiveState", .what = SET, .unit = SERVICE,
					      .name = "ActiveState", .value = "inactive"});
	assert_int_equal(program_run(&p, NULL, BY_HAND(f)), 0);
	calls = fake_calls(&manager);
	assert_ptr_equal(strstr(calls, "StartTransientUnit " SERVICE " fail "), calls);
	assert_non_null(strstr(calls, "(Description <Puts the container of t to sleep, whose keeper was killed>)"));
	assert_non_null(strstr(calls, "(CollectMode <inactive-or-failed>)"));
	assert_non_null(strstr(calls, "(SyslogIdentifier <sockwake>)"));
	assert_non_null(strstr(calls, "(Restart <on-abnormal>)"));
	assert_non_null(strstr(calls, "(NoNewPrivileges <1>)"));
	assert_non_null(strstr(calls, "(Environment <(SOCKWAKE_APART=1 RUNTIME_DIRECTORY="));
	assert_null(strstr(calls, "SOCKWAKE_LOG"));
	assert_non_null(strstr(calls, "(ExecStart <((activator (activator --sleep --scope user --name t "));
	assert_non_null(strstr(calls, ") 0))>)) ()\n"));
	assert_non_null(strstr(p.text, SERVICE " puts the container 'x' to sleep"));
	assert_string_equal(requests(&f), "");
	fake_stop(&f);
}

static void it_is_watched_for_a_moment(void **state)
{
	START(f, SAY(running()));
	char *argv[] = {(char[]){"activator"}, NULL};
	struct options o = {.scope = SCOPE_USER, .name = "t", .container = "x"};
	uint64_t began = now_usec();

	(void)state;
	fake_set(&manager, SERVICE, "start", "done");
	assert_true(apart_begin(&o, argv)); /* it goes on */
	assert_true(msec_since(began) >= 500);
	assert_int_equal(manager.table->connections, 2);
	/* One that has a job is about to begin. */
	fake_set(&manager, SERVICE, "start", "failed");
	fake_set(&manager, SERVICE, "ActiveState", "inactive");
	fake_set(&manager, SERVICE, "Job", "9");
	fake_on(&manager, (struct fake_event){"Get " SERVICE " Job", .after = 2, .what = SET, .unit = SERVICE,
					      .name = "Job", .value = "0"});
	manager.table->n_calls = 0;
	assert_true(apart_begin(&o, argv));
	assert_int_equal(manager.table->n_calls, 5);
	fake_stop(&f);
}

/* One that is there may have left the container to somebody who is gone by now. */
static void one_that_is_there_is_waited_for(void **state)
{
	char *argv[] = {(char[]){"activator"}, NULL};
	struct options o = {.scope = SCOPE_USER, .name = "t", .container = "x"};
	struct fake_event exists = {"StartTransientUnit", .times = UINT32_MAX, .what = FAIL,
				    .value = "org.freedesktop.systemd1.UnitExists"};

	(void)state;
	/* It ends, and the next one begins. */
	exists.times = 1;
	fake_on(&manager, exists);
	fake_set(&manager, SERVICE, "start", "failed");
	fake_set(&manager, SERVICE, "ActiveState", "activating");
	fake_on(&manager, (struct fake_event){"Get " SERVICE " ActiveState", .after = 1, .what = SET, .unit = SERVICE,
					      .name = "ActiveState", .value = "inactive"});
	assert_true(apart_begin(&o, argv));
	assert_non_null(strstr(strstr(manager.table->calls, "StartTransientUnit") + 1, "StartTransientUnit"));
	/* It goes on. */
	fake_clear(&manager);
	(void)fake_calls(&manager);
	fake_on(&manager, exists);
	fake_set(&manager, SERVICE, "ActiveState", "active");
	assert_true(apart_begin(&o, argv));
	assert_null(strstr(strstr(fake_calls(&manager), "StartTransientUnit") + 1, "StartTransientUnit"));
	/* It is there, and is not: this is given up. */
	fake_clear(&manager);
	exists.times = UINT32_MAX;
	fake_on(&manager, exists);
	manager.table->n_calls = 0;
	assert_false(apart_begin(&o, argv));
	assert_int_equal(manager.table->n_calls, 5 * 3);
}

static void a_manager_that_refuses(void **state)
{
	char *argv[] = {(char[]){"activator"}, NULL};
	struct options o = {.scope = SCOPE_USER, .name = "t", .container = "x"};

	(void)state;
	fake_on(&manager, (struct fake_event){"StartTransientUnit", .what = FAIL, .value = "a.b"});
	assert_false(apart_begin(&o, argv));
	assert_int_equal(manager.table->connections, 1);
	/* One that executes itself anew is asked again. */
	fake_on(&manager, (struct fake_event){"StartTransientUnit", .what = REEXEC});
	fake_set(&manager, SERVICE, "start", "failed");
	assert_true(apart_begin(&o, argv));
	setenv("RUNTIME_DIRECTORY", "not/absolute", 1);
	assert_false(apart_begin(&o, argv));
}

/* No unit's name is longer than 255 bytes. */
static void a_long_name_is_a_number(void **state)
{
	char *argv[] = {(char[]){"activator"}, NULL};
	char name[256];
	struct options o = {.scope = SCOPE_USER, .name = name, .container = "x"};

	(void)state;
	fake_on(&manager, (struct fake_event){"StartTransientUnit", .times = 3, .what = FAIL, .value = "a.b"});
	log_is_debug = true;
	memset(name, 'n', sizeof(name));
	name[UNIT_NAME_MAX - 1 - strlen("sockwake-sleep:.service")] = '\0';
	assert_false(apart_begin(&o, argv));
	assert_non_null(strstr(fake_calls(&manager), "StartTransientUnit sockwake-sleep:nnnnn"));
	name[UNIT_NAME_MAX - 1 - strlen("sockwake-sleep:.service")] = 'n';
	name[UNIT_NAME_MAX - strlen("sockwake-sleep:.service")] = '\0';
	assert_false(apart_begin(&o, argv));
	log_is_debug = false;
	assert_null(strstr(manager.table->calls + manager.told, "sleep:nnn"));
	/* What it tells is as much as what this one does. */
	assert_non_null(strstr(fake_calls(&manager), " SOCKWAKE_LOG=debug)>)"));
}

/* The service of its own goes on until it is done. */
static void this_one_does_it(void **state)
{
	START(f, SAY(running()), SAY(WILL_NOT), SAY(running()), SAY(NO_CONTENT), SAY(EXITED));
	struct program p;

	(void)state;
	setenv("SOCKWAKE_APART", "1", 1);
	is_being_stopped();
	assert_true(apart_is_this());
	assert_int_equal(program_run(&p, NULL, BY_HAND(f)), 0);
	assert_string_equal(requests(&f), "GET json POST stop GET json POST stop GET json");
	assert_string_equal(fake_calls(&manager), "");
	unsetenv("SOCKWAKE_APART");
	assert_false(apart_is_this());
	fake_stop(&f);
}

/* At shutdown no more is begun: it is done here. */
static void at_shutdown_it_is_done_at_once(void **state)
{
	START(f, SAY(running()), SAY(NO_CONTENT), SAY(EXITED), SAY(running()), SAY(NO_CONTENT), SAY(EXITED));
	struct program p;

	(void)state;
	keeper_was_killed();
	is_being_stopped();
	fake_set(&manager, FAKE_MANAGER, "SystemState", "stopping");
	assert_int_equal(program_run(&p, NULL, BY_HAND(f)), 0);
	assert_string_equal(requests(&f), "GET json POST stop GET json");
	assert_string_equal(fake_calls(&manager), "");
	/* … and where there can be no service of its own. */
	fake_set(&manager, FAKE_MANAGER, "SystemState", "running");
	fake_on(&manager, (struct fake_event){"StartTransientUnit", .what = FAIL, .value = "a.b"});
	assert_int_equal(program_run(&p, NULL, BY_HAND(f)), 0);
	assert_string_equal(requests(&f), "GET json POST stop GET json");
	fake_stop(&f);
}

static int run_sleep(struct fake_engine *f, struct program *p)
{
	return program_run_kept(p, BY_HAND(*f));
}

/* By hand, or by a keeper that lives, nothing is tried twice. */
static void what_fails_in_the_middle(void **state)
{
	const char *up = running(), *paused = PAUSED, *ended = EXITED;
	const struct exchange sleep[] = {SAY(up), SAY(NO_CONTENT), SAY(ended)};
	const struct exchange unpause[] = {SAY(paused), SAY(NO_CONTENT), SAY(NO_CONTENT), SAY(ended)};
	START(f, SAY(up));

	(void)state;
	EACH_FAILURE_IS_TOLD(sleep, 3, run_sleep);
	EACH_FAILURE_IS_TOLD(unpause, 4, run_sleep);
	record(&f, BACKEND_DOCKER, "");
	assert_int_equal(unlink(record_file(&f, BACKEND_DOCKER)), 0);
	assert_int_equal(mkdir(record_file(&f, BACKEND_DOCKER), 0700), 0);
	assert_refused(BY_HAND(f), "cannot open the lock");
	setenv("RUNTIME_DIRECTORY", "not/absolute", 1);
	assert_refused(BY_HAND(f), "is not an absolute path");
	assert_string_equal(requests(&f), "");
	fake_stop(&f);
}

/* An engine that is not there is a failure while the system runs; whoever waits hears of a stop. */
static void a_missing_engine(void **state)
{
	struct fake_engine none = {.socket = "/nonexistent/engine.sock"};
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, BY_HAND(none)), EXIT_UNAVAILABLE);
	assert_int_equal(p.messages, 1);
	program_release(&p);
	is_being_stopped();
	assert_int_equal(program_run_kept(&p, BY_HAND(none)), EXIT_UNAVAILABLE);
	assert_int_equal(p.messages, 2);
	program_release(&p);
	fake_set(&manager, FAKE_MANAGER, "SystemState", "stopping");
	assert_int_equal(program_run_kept(&p, BY_HAND(none)), 0);
	assert_non_null(strstr(p.text, "the system is going down: "));
	program_release(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST(the_next_keeper_does_it),    UNIT_TEST(a_service_of_its_own_does_it),
		UNIT_TEST(it_is_watched_for_a_moment), UNIT_TEST(one_that_is_there_is_waited_for),
		UNIT_TEST(a_manager_that_refuses),     UNIT_TEST(a_long_name_is_a_number),
		UNIT_TEST(this_one_does_it),	       UNIT_TEST(at_shutdown_it_is_done_at_once),
		UNIT_TEST(a_missing_engine),	       UNIT_TEST(what_fails_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
