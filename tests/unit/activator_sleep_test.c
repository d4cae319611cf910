/* Putting to sleep, and every reason not to. The engine is a fake, the test is the keeper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/activator_fixture.h"

#define PAUSED inspection("paused", 0, STARTED, "")

/* Runs --sleep, and says which requests it made. */
#define SLEEP(status, ...)                                                                                             \
	({                                                                                                             \
		assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", __VA_ARGS__)), status);                     \
		assert_int_equal(p.woken.n_fds, 0);                                                                    \
		program_release(&p);                                                                                   \
		requests(&f);                                                                                          \
	})

static void sleep_stops_or_pauses_by_state(void **state)
{
	START(f, SAY(running()), SAY(NO_CONTENT), SAY(EXITED),		     /* */
	      SAY(running()), SAY(NO_CONTENT), SAY(PAUSED),		     /* */
	      SAY(PAUSED), SAY(NO_CONTENT), SAY(NO_CONTENT), SAY(EXITED),    /* */
	      SAY(PAUSED), SAY(EXITED), SAY(NO_SUCH),			     /* */
	      SAY(running()), SAY(NOT_MODIFIED), SAY(NO_SUCH), SAY(NO_SUCH), /* */
	      SAY(running()), SAY(NO_SUCH),				     /* */
	      SAY(inspection("restarting", 0, STARTED, "")), SAY(NO_CONTENT), SAY(EXITED));
	struct program p;

	(void)state;
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json POST stop GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--idle-action", "pause"), "GET json POST pause GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json POST unpause POST stop GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--idle-action", "pause"), "GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json"); /* exited */
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json"); /* removed */
	/* removed by its end; in the middle */
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json POST stop GET json GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json POST stop");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json POST stop GET json");
	fake_stop(&f);
}

/* Its policy starts it again, unless it was a stop that has ended it. */
static void sleep_outlasts_a_policy(void **state)
{
	START(f, SAY(running()), SAY(NOT_MODIFIED), SAY(running()), SAY(NO_CONTENT), SAY(EXITED));
	struct program p;

	(void)state;
	tell_steps();
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json POST stop GET json POST stop GET json");
	assert_step(&p, "the container 'x' goes to sleep\n");
	fake_stop(&f);
}

/* Done is what was seen to be done. */
static void an_engine_that_only_says_so_is_not_believed(void **state)
{
	START(f, SAY(running()), SAY(NO_CONTENT), SAY(running()), /* */
	      SAY(running()), SAY(NO_CONTENT), SAY(PAUSED),	  /* */
	      SAY(running()), SAY(NO_CONTENT), SAY(running()),	  /* */
	      SAY(running()), SAY(NO_CONTENT), SAY(reply("500", "{\"message\":\"hm\"}")));
	struct program p;

	(void)state;
	assert_string_equal(SLEEP(EXIT_REFUSED, OPTIONS(f, "docker")), "GET json POST stop GET json");
	assert_non_null(strstr(p.failed, "Docker says that it has stopped the container 'x', which is running"));
	assert_non_null(strstr(p.failed, "'docker stop x'"));
	assert_string_equal(SLEEP(EXIT_REFUSED, OPTIONS(f, "docker")), "GET json POST stop GET json");
	assert_non_null(strstr(p.failed, "which is paused"));
	assert_string_equal(SLEEP(EXIT_REFUSED, OPTIONS(f, "docker"), "--idle-action", "pause"),
			    "GET json POST pause GET json");
	assert_string_equal(SLEEP(EXIT_REFUSED, OPTIONS(f, "docker")), "GET json POST stop GET json");
	fake_stop(&f);
}

/* The start of an activator that was killed is still on its way through the engine. */
static void a_start_that_is_on_its_way_is_waited_for(void **state)
{
	START(f, SAY_THEN(NULL, STALL), SAY(EXITED), SAY(EXITED), SAY(running()), SAY(NO_CONTENT), SAY(EXITED),
	      SAY(EXITED));
	struct program p;

	(void)state;
	program_start_kept(&p, ARGUMENTS(OPTIONS(f, "docker")));
	while (((volatile struct seen *)f.seen)->requests == 0)
		usleep(1000);
	kill(p.pid, SIGKILL);
	assert_int_equal(program_finish(&p), -SIGKILL);
	program_release(&p);
	assert_string_equal(requests(&f), "POST start");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json GET json GET json POST stop GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json"); /* once and no more */
	fake_stop(&f);
}

static void sleep_leaves_what_is_not_to_sleep(void **state)
{
	START(f, SAY(EXITED), SAY(NO_CONTENT), SAY(running()), SAY(running()), /* a wake of ours */
	      SAY(running()), SAY(NO_CONTENT), SAY(EXITED),
	      SAY(inspection("running", container_process(), "2027", "")));
	struct options o = {.name = "t", .container = "x", .backend = BACKEND_DOCKER};
	_cleanup_close_ int lock = -1;
	char path[PATH_MAX];
	struct program p;
	struct error err;

	(void)state;
	/* Another instance uses it. */
	assert_int_equal(lock_path(&o, f.socket, path, &err), 0);
	assert_int_equal(lock_shared(path, UINT64_MAX, &lock, &err), 0);
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "");
	assert_non_null(strstr(p.text, "another instance"));
	close_fd(&lock);
	/* --keep-running leaves what somebody else has started, and that alone. */
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--keep-running")), 0);
	assert_string_equal(requests(&f), "GET json POST start GET json GET json");
	program_release(&p);
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--keep-running"), "GET json POST stop GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--keep-running"), "GET json");
	assert_non_null(strstr(p.text, "was not started by sockwake"));
	fake_stop(&f);
}

static const char *with_policy(const char *policy)
{
	char body[512];

	snprintf(body, sizeof(body),
		 "{\"Id\":\"" ID "\",\"Name\":\"/x\",\"State\":{\"Status\":\"exited\",\"ExitCode\":1},"
		 "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"%s\"}},\"Config\":{}}",
		 policy);
	return reply("200", body);
}

/* What has ended comes up again where its policy starts it, and a wake has failed because it ended. */
static void only_who_may_come_back_is_waited_for(void **state)
{
	START(f, SAY(with_policy("no")), SAY(with_policy("always")), SAY(with_policy("always")), SAY(NO_SUCH));
	struct program p;

	(void)state;
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--because", "failed"), "GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--because", "idle"), "GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--because", "failed"), "GET json GET json");
	fake_stop(&f);
}

static void set_end(const char *result, const char *code, const char *status)
{
	setenv("SERVICE_RESULT", result, 1);
	setenv("EXIT_CODE", code, 1);
	setenv("EXIT_STATUS", status, 1);
}

/* As ExecStopPost=: a keeper that ended by itself has done it. */
static void a_keeper_that_ended_by_itself_needs_no_net(void **state)
{
	START(f, SAY(EXITED), SAY(EXITED), SAY(EXITED));
	struct program p;

	(void)state;
	set_end("success", "exited", "0");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "");
	set_end("exit-code", "exited", "75");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "");
	assert_string_equal(p.text, "");
	/* It never ran: systemd, or the loader, says so. */
	for (const char *const *status = (const char *const[]){"127", "200", "202", "203", "255", NULL}; *status;
	     status++) {
		set_end("exit-code", "exited", *status);
		assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "");
	}
	/* It gave up; it was killed, or ran out of memory; a sanitizer ended it. */
	set_end("exit-code", "exited", "1");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json");
	set_end("signal", "killed", "KILL");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json");
	set_end("oom-kill", "killed", "KILL");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json");
	fake_stop(&f);
}

/* Nobody else would try again. */
static void the_net_tries_again_until_it_is_done(void **state)
{
	START(f, SAY(running()), SAY(reply("500", "{\"message\":\"will not\"}")), SAY(running()), SAY(NO_CONTENT),
	      SAY(EXITED));
	uint64_t begin = now_usec();
	struct program p;

	(void)state;
	set_end("signal", "killed", "KILL");
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--sleep", OPTIONS(f, "docker"))), 0);
	assert_string_equal(requests(&f), "GET json POST stop GET json POST stop GET json");
	assert_in_range(msec_since(begin), 1000, 10000);
	fake_stop(&f);
}

/* Without a manager there is nobody to stay awake for. */
static void at_shutdown_a_missing_engine_is_no_failure(void **state)
{
	struct fake_engine none = {.socket = "/nonexistent/engine.sock"};
	struct program p;

	(void)state;
	setenv("XDG_RUNTIME_DIR", directory, 1);
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--sleep", "--scope", "user", OPTIONS(none, "docker"))), 0);
	unsetenv("XDG_RUNTIME_DIR");
	assert_non_null(strstr(p.text, "the system is going down: "));
	assert_non_null(strstr(p.text, "nothing listens"));
}

static void a_failing_engine_is_a_failure_of_sleep(void **state)
{
	START(f, SAY(running()), SAY(reply("500", "{\"message\":\"will not\"}")), /* */
	      SAY(running()), SAY(reply("500", "{\"message\":\"will not\"}")));
	struct program p;

	(void)state;
	assert_string_equal(SLEEP(EXIT_REFUSED, OPTIONS(f, "docker")), "GET json POST stop");
	assert_non_null(strstr(p.failed, "cannot stop the container 'x': will not"));
	/* by hand */
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--sleep", OPTIONS(f, "docker"))), EXIT_REFUSED);
	assert_non_null(strstr(p.text, "cannot stop the container 'x': will not"));
	fake_stop(&f);
}

#define OTHER "131ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"

/* The lock remembers that a wake has begun a run of the container with this identifier. */
static void remember_run_of(const struct fake_engine *f, const char *id)
{
	struct options o = {.name = "t", .container = "x", .backend = BACKEND_DOCKER};
	struct container c = {};
	_cleanup_close_ int lock = -1;
	char path[PATH_MAX];
	struct error err;

	strcpy(c.id, id);
	strcpy(c.started_at, STARTED);
	assert_int_equal(lock_path(&o, f->socket, path, &err), 0);
	assert_int_equal(lock_exclusive(path, 0, &lock, &err), 0);
	lock_record_run(lock, &c, true);
}

/* An updater has renamed the container that a wake brought up, and made a new one of its name, which does not run. */
static const char *of_other(const char *reply)
{
	static char text[2048];

	snprintf(text, sizeof(text), "%s", reply);
	memcpy(strstr(text, ID), OTHER, strlen(OTHER));
	return text;
}

static void a_renamed_container_is_put_to_sleep(void **state)
{
	static const struct {
		const char *renamed; /* its state, or the engine's status */
		const char *requests;
		int status;
	} cases[] = {
		{"running", "GET json GET json POST stop GET json GET json", 0},
		{"paused", "GET json GET json POST unpause POST stop GET json GET json", 0},
		{"restarting", "GET json GET json POST stop GET json GET json", 0},
		{"exited", "GET json GET json", 0},
		{"created", "GET json GET json", 0},
		{"404", "GET json GET json", 0},
		{"500", "GET json GET json", EXIT_REFUSED},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		const char *unpause = strstr(cases[k].requests, "unpause"), *renamed = cases[k].renamed;
		const char *answer = renamed[0] < 'a' ? reply(renamed, "{\"message\":\"hm\"}")
						      : of_other(inspection(renamed, container_process(), STARTED, ""));
		START(f, SAY(EXITED), SAY(answer), SAY(NO_CONTENT), SAY(unpause ? NO_CONTENT : EXITED), SAY(EXITED),
		      SAY(EXITED));
		struct program p;

		remember_run_of(&f, OTHER);
		assert_string_equal(SLEEP(cases[k].status, OPTIONS(f, "docker")), cases[k].requests);
		/* by its identifier */
		assert_non_null(strstr(f.seen->text, "GET /containers/x/json"));
		assert_non_null(strstr(f.seen->text, "/containers/" OTHER "/json"));
		assert_true(!strstr(cases[k].requests, "stop") == !strstr(f.seen->text, "/containers/" OTHER "/stop"));
		fake_stop(&f);
	}
}

/* Somebody has renamed it, and started it anew: it is theirs. What has the name now is handled as always. */
static void a_renamed_container_that_others_restarted_stays_up(void **state)
{
	static const char *const events[] = {"idle", "stop", "failed"};

	(void)state;
	for (size_t k = 0; k < sizeof(events) / sizeof(*events); k++) {
		const char *theirs = of_other(inspection("running", container_process(), "2027-01-01T00:00:00Z", ""));
		START(f, SAY(inspection("created", 0, "", "")), SAY(theirs), SAY(inspection("created", 0, "", "")));
		struct program p;

		remember_run_of(&f, OTHER);
		assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--because", events[k]),
				    "GET json GET json GET json");
		assert_non_null(strstr(p.text, "was renamed and restarted by somebody else"));
		assert_null(strstr(f.seen->text, "POST"));
		fake_stop(&f);
	}
}

/* Where the name leads nowhere, only the renamed one counts. */
static void a_renamed_container_without_a_successor(void **state)
{
	START(f, SAY(NO_SUCH), SAY(of_other(running())), SAY(NO_CONTENT), SAY(EXITED), SAY(NO_SUCH), SAY(NO_SUCH),
	      SAY(NO_SUCH), SAY(NO_SUCH));
	struct program p;

	(void)state;
	remember_run_of(&f, OTHER);
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json GET json POST stop GET json GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json"); /* recorded as asleep */
	remember_run_of(&f, ID);
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json GET json");
	fake_stop(&f);
}

static void an_engine_that_does_not_tell(void **state)
{
	START(f, SAY(reply("500", "{\"message\":\"hm\"}")), SAY(PAUSED), SAY(reply("500", "{\"message\":\"hm\"}")));
	struct program p;

	(void)state;
	assert_string_equal(SLEEP(EXIT_REFUSED, OPTIONS(f, "docker")), "GET json");
	assert_non_null(strstr(p.failed, "hm"));
	assert_string_equal(SLEEP(EXIT_REFUSED, OPTIONS(f, "docker")), "GET json POST unpause");
	assert_non_null(strstr(p.failed, "hm"));
	fake_stop(&f);
}

/* Another instance, which knows the container by another name, holds its second lock. */
static void a_container_with_another_name_is_shared(void **state)
{
	START(f, SAY(running()), SAY(running()));
	char name[LOCK_NAME_MAX], path[PATH_MAX];
	_cleanup_close_ int lock = -1;
	struct program p;
	struct error err;

	(void)state;
	snprintf(name, sizeof(name), "%s.lock", ID);
	assert_int_equal(runtime_file(SCOPE_SYSTEM, name, path, &err), 0);
	assert_int_equal(lock_shared(path, UINT64_MAX, &lock, &err), 0);
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json");
	assert_non_null(strstr(p.text, "is used by another instance and stays up"));
	close_fd(&lock);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0); /* nobody can lock that */
	assert_string_equal(SLEEP(EXIT_REFUSED, OPTIONS(f, "docker")), "GET json");
	assert_non_null(strstr(p.failed, "cannot open the lock"));
	fake_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sleep_stops_or_pauses_by_state, setup, teardown),
		cmocka_unit_test_setup_teardown(a_renamed_container_is_put_to_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(a_renamed_container_without_a_successor, setup, teardown),
		cmocka_unit_test_setup_teardown(a_renamed_container_that_others_restarted_stays_up, setup, teardown),
		cmocka_unit_test_setup_teardown(an_engine_that_does_not_tell, setup, teardown),
		cmocka_unit_test_setup_teardown(a_container_with_another_name_is_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(sleep_outlasts_a_policy, setup, teardown),
		cmocka_unit_test_setup_teardown(an_engine_that_only_says_so_is_not_believed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_start_that_is_on_its_way_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(sleep_leaves_what_is_not_to_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(only_who_may_come_back_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_keeper_that_ended_by_itself_needs_no_net, setup, teardown),
		cmocka_unit_test_setup_teardown(the_net_tries_again_until_it_is_done, setup, teardown),
		cmocka_unit_test_setup_teardown(at_shutdown_a_missing_engine_is_no_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failing_engine_is_a_failure_of_sleep, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
