/* --with: other containers come before the instance's own, and sleep after it. The engine is a fake, and so are the two
 * programs that ask a server whether it is ready. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "activator/runtime.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "handover/exit.h"
#include "handover/stats.h"
#include "tests/unit/activator_fixture.h"

/* Stands for nshelper: notes how it was called and what it was given, then does what the test wants. */
#define HELPER                                                                                                         \
	"#!/bin/sh\n"                                                                                                  \
	"cd %s\n"                                                                                                      \
	"echo \"$@\" >>calls\n"                                                                                        \
	"echo fds=$LISTEN_FDS pid=$LISTEN_PID notify=$NOTIFY_SOCKET deadline=${SOCKWAKE_DEADLINE:+set}"                \
	" keeper=$SOCKWAKE_KEEPER_FD journal=${JOURNAL_STREAM-unset} >>calls\n"                                        \
	"grep Pid: /proc/self/fdinfo/$SOCKWAKE_PIDFD >>calls\n"                                                        \
	"echo open: $(ls -l /proc/$$/fd | grep -c -e socket: -e '[.]lock') >>calls\n"                                  \
	"%s\n"

static const char *helper(const char *then)
{
	static char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/nshelper", directory);
	f = fopen(path, "we");
	fprintf(f, HELPER, directory, then);
	fclose(f);
	assert_int_equal(chmod(path, 0700), 0);
	return path;
}

static const char *calls(void)
{
	static char text[4096];
	char path[96];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/calls", directory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	close_fd(&fd);
	(void)unlink(path);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* What the instance's own server is served by: `NSHELPER … -- PROXY …`; checks use the same programs. */
#define SERVED_BY(program)                                                                                             \
	"--", (program), "--user", "nobody", "--outside-source", "--transparent", "--", "/the/proxy", "--forward", "1:2"

#define WITH_TWO                                                                                                       \
	"--with", "pg", "--with-port", "5432", "--with-health-check", "postgres", "--with", "cache", "--with-port",    \
		"6379", "--with-health-check", "redis"

static void each_is_ready_before_the_next(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(running()),
	      SAY(NO_CONTENT), SAY(running()), SAY(running()));
	const char *text, *second;
	struct program p;
	char pid[32];

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), WITH_TWO, SERVED_BY(helper("true")))), 0);
	assert_string_equal(requests(&f), "POST start GET json GET json POST start GET json GET json "
					  "POST start GET json GET json");
	assert_non_null(strstr(f.seen->text, "POST /containers/pg/start"));
	assert_true(strstr(f.seen->text, "/cache/start") > strstr(f.seen->text, "/pg/start"));
	assert_true(strstr(f.seen->text, "/x/start") > strstr(f.seen->text, "/cache/start"));

	text = calls();
	assert_ptr_equal(
		strstr(text, "--user nobody --outside-source -- /the/proxy --await 5432 --health-check postgres\n"),
		text);
	second = strstr(text, "--user nobody --outside-source -- /the/proxy --await 6379 --health-check redis\n");
	assert_non_null(second);
	assert_null(strstr(text, "--forward")); /* the rest is the keeper's */
	/* It gets the pidfd, and no socket, be it systemd's or the keeper's. */
	assert_non_null(strstr(text, "fds= pid= notify= deadline=set keeper= journal=\n"));
	snprintf(pid, sizeof(pid), "Pid:\t%d\n", container_process());
	assert_non_null(strstr(text, pid));
	assert_non_null(strstr(text, "open: 0\n"));
	program_release(&p);
	fake_stop(&f);
}

/* What the instance's own server is served by without is not for the others either. */
static void what_is_not_asked_for_is_not_passed_on(void **state)
{
	static const struct {
		const char *option, *passed;
	} cases[] = {{"--transparent", "-- /the/proxy --await"},
		     {"--unreachable", "--unreachable -- /the/proxy --await"}};

	(void)state;
	tell_steps();
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()),
		      SAY(running()), SAY(running())); /* the last one: volumes */
		const char *text;
		struct program p;

		assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--with", "pg", "--with-port",
								"5432", "--with-health-check", "http", "--",
								helper("true"), cases[k].option, "--", "/the/proxy")),
				 0);
		text = calls();
		assert_ptr_equal(strstr(text, cases[k].passed), text);
		assert_step(&p, "the server on port 5432 is ready, says 'proxy --await'\n");
		program_release(&p);
		fake_stop(&f);
	}
}

static void all_locks_are_handed_over(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(running()),
	      SAY(NO_CONTENT), SAY(running()), SAY(running()));
	static const char *const containers[] = {"x", "pg", "cache"};
	struct program p;
	struct error err;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), WITH_TWO, SERVED_BY(helper("true")))), 0);
	assert_int_equal(p.woken.n_fds, 7); /* a pidfd comes first, then two locks of each */
	for (size_t k = 0; k < 3; k++) {
		struct options o = {.name = "t", .container = containers[k], .backend = BACKEND_DOCKER};
		_cleanup_close_ int fd = -1;
		char path[PATH_MAX], link[PATH_MAX] = "", own[64];

		assert_int_equal(lock_path(&o, f.socket, path, &err), 0);
		snprintf(own, sizeof(own), "/proc/self/fd/%d", p.woken.fds[2 * k + 1]);
		assert_true(readlink(own, link, sizeof(link) - 1) > 0);
		assert_string_equal(link, path);
		assert_int_equal(lock_exclusive(path, 0, &fd, &err), -1);
		close_fd(&p.woken.fds[2 * k + 1]);
		close_fd(&p.woken.fds[2 * k + 2]);
		assert_int_equal(lock_exclusive(path, 0, &fd, &err), 0); /* each lock is one descriptor's alone */
	}
	p.woken.n_fds = 1;
	assert_true(p.stats->t_dependencies > 0 && p.stats->t_dependencies < p.stats->t_started &&
		    p.stats->t_started < p.stats->t_inspected);
	program_release(&p);
	fake_stop(&f);
}

static void without_a_check_it_is_ready_when_it_runs(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NOT_MODIFIED), SAY(running()), SAY(running()),
	      SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(
		program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--with", "pg", "--with", "cache", "--with-port",
					       "1", "--with-health-check", "none", "--", "/bin/true")),
		0);
	program_release(&p);
	assert_int_equal(f.seen->requests, 9);
	fake_stop(&f);
}

static void a_health_check_of_the_image_is_asked_for(void **state)
{
	static const char test[] = "\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"]}";
	START(f, SAY(NO_CONTENT), SAY(inspection("running", container_process(), STARTED, test)),
	      SAY(inspection("running", container_process(), STARTED, test)),
	      SAY(reply("200", "{\"Status\":\"starting\",\"Log\":[{\"ExitCode\":1}]}")),
	      SAY(reply("200", "{\"Status\":\"starting\",\"Log\":[{\"ExitCode\":0}]}")), SAY(NO_CONTENT),
	      SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "podman"), "--with", "pg", "--with-health-check",
							"healthy", "--with-port", "5432", SERVED_BY(helper("true")))),
			 0);
	program_release(&p);
	assert_string_equal(requests(&f), "POST start GET json GET json GET healthcheck GET healthcheck "
					  "POST start GET json GET json");
	assert_non_null(strstr(calls(), "--await 5432 --health-check listen\n"));
	fake_stop(&f);
}

/* One sentence says which container, and why. */
static void assert_dependency_refused(const char *const *arguments, const char *why)
{
	assert_refused_for(arguments, (const char *const[]){"'pg', which comes before 'x': ", why, NULL});
}

#define DB "--with", "pg", "--with-port", "5432", "--with-health-check", "postgres"

#define SAY_ONE_FAILS SAY(NO_CONTENT), SAY(up), SAY(up)
#define ONE_FAILS     "POST start GET json GET json"

static void every_failure_is_told(void **state)
{
	const char *up = running();
	START(f, SAY(NO_SUCH), SAY(NO_CONTENT), SAY(EXITED), SAY_ONE_FAILS, SAY_ONE_FAILS, SAY_ONE_FAILS, SAY_ONE_FAILS,
	      SAY(NO_CONTENT), SAY(up), SAY(up), SAY_ONE_FAILS);

	(void)state;
	assert_dependency_refused(ARGUMENTS(OPTIONS(f, "docker"), DB, SERVED_BY(helper("true"))),
				  "has no container 'pg'");
	assert_dependency_refused(ARGUMENTS(OPTIONS(f, "docker"), DB, SERVED_BY(helper("true"))),
				  "ended with status 7");
	assert_dependency_refused(
		ARGUMENTS(OPTIONS(f, "docker"), DB,
			  SERVED_BY(helper("echo '<5>a note' >&2; echo '<3>port 5432 is dead' >&2; exit 75"))),
		" port 5432 is dead");
	/* What does not fit is cut off. */
	assert_dependency_refused(
		ARGUMENTS(
			OPTIONS(f, "docker"), DB,
			SERVED_BY(helper("{ echo; printf begun; head -c 20000 /dev/zero | tr '\\0' x; } >&2; exit 1"))),
		"begunxxx");
	assert_dependency_refused(ARGUMENTS(OPTIONS(f, "docker"), DB, SERVED_BY(helper("exit 1"))),
				  "ended without an answer");
	assert_dependency_refused(ARGUMENTS(OPTIONS(f, "docker"), DB, SERVED_BY("/nonexistent/nshelper")),
				  "cannot run '/nonexistent/nshelper'");
	assert_dependency_refused(ARGUMENTS(OPTIONS(f, "docker"), DB, "--", "/bin/true"), "of the form");
	/* One that hangs is not waited for longer than the rest of the time that all have together. */
	assert_dependency_refused(
		ARGUMENTS(OPTIONS(f, "docker"), "--startup-timeout", "300ms", DB, SERVED_BY(helper("exec sleep 1000"))),
		"ended without an answer");
	assert_string_equal(requests(&f), "POST start POST start GET json " ONE_FAILS " " ONE_FAILS " " ONE_FAILS
					  " " ONE_FAILS " POST start GET json GET json POST start GET json GET json");
	fake_stop(&f);
}

/* … while it goes on; the reason of its end is another line. */
static void what_it_waits_for_is_told(void **state)
{
	const char *up = running();
	START(f, SAY_ONE_FAILS);
	struct program p;

	(void)state;
	program_run_kept(&p,
			 ARGUMENTS(OPTIONS(f, "docker"), DB,
				   SERVED_BY(helper("echo '<3>port 5432 is dead' >&2; echo '<6>waits: nothing listens "
						    "on port 5432; it does listen on port 80' >&2; exit 75"))));
	assert_string_equal(p.awaited,
			    "'pg', which comes before 'x', is not ready: nothing listens on port 5432; it does "
			    "listen on port 80");
	assert_non_null(strstr(p.failed, "port 5432 is dead"));
	program_release(&p);
	fake_stop(&f);
}

static void a_health_check_that_the_image_lacks_is_told(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()));

	(void)state;
	assert_dependency_refused(ARGUMENTS(OPTIONS(f, "docker"), "--with", "pg", "--with-health-check", "healthy",
					    SERVED_BY(helper("true"))),
				  "has no health check");
	assert_string_equal(requests(&f), "POST start GET json GET json");
	fake_stop(&f);
}

static void a_signal_while_one_is_awaited_is_told(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct program p;
	char asked[96];

	(void)state;
	program_start_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), DB, SERVED_BY(helper("touch asked; exec sleep 1000"))));
	snprintf(asked, sizeof(asked), "%s/asked", directory);
	while (access(asked, F_OK) != 0)
		usleep(1000);
	kill(p.pid, SIGTERM);
	assert_int_equal(program_finish(&p), EXIT_REFUSED);
	assert_non_null(strstr(p.failed, "the activator was told to stop"));
	program_release(&p);
	fake_stop(&f);
}

/* Runs --sleep with db and cache, and says which requests it made. */
#define SLEEP(status, ...)                                                                                             \
	({                                                                                                             \
		assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", OPTIONS(f, "docker"), "--with", "pg",       \
								"--with", "cache", __VA_ARGS__)),                      \
				 status);                                                                              \
		program_release(&p);                                                                                   \
		requests(&f);                                                                                          \
	})

#define EXITED	    inspection("exited", 0, STARTED, "")
#define PAUSED	    inspection("paused", 0, STARTED, "")
#define STOPPED	    "GET json POST stop GET json"
#define SAY_STOPPED SAY(running()), SAY(NO_CONTENT), SAY(EXITED)
#define SAY_PAUSED  SAY(running()), SAY(NO_CONTENT), SAY(PAUSED)

static void sleep_goes_the_other_way(void **state)
{
	START(f, SAY_STOPPED, SAY_STOPPED, SAY_STOPPED, /* */
	      SAY(NO_SUCH), SAY(EXITED), SAY_STOPPED,	/* */
	      SAY_PAUSED, SAY_PAUSED, SAY_PAUSED);
	struct program p;

	(void)state;
	assert_string_equal(SLEEP(0, "--idle-action", "stop"), STOPPED " " STOPPED " " STOPPED);
	assert_true(strstr(f.seen->text, "/x/json") < strstr(f.seen->text, "/cache/json"));
	assert_true(strstr(f.seen->text, "/cache/json") < strstr(f.seen->text, "/pg/json"));
	/* One that is gone, or sleeps already, does not keep the others. */
	assert_string_equal(SLEEP(0, "--idle-action", "stop"), "GET json GET json " STOPPED);
	assert_string_equal(SLEEP(0, "--idle-action", "pause"),
			    "GET json POST pause GET json GET json POST pause GET json GET json POST pause GET json");
	fake_stop(&f);
}

static void sleep_leaves_what_is_needed(void **state)
{
	START(f, SAY_STOPPED, SAY_STOPPED, /* db is in use */
	      SAY(running()),		   /* --keep-running */
	      SAY_STOPPED, SAY(running()), SAY_STOPPED);
	struct options o = {.name = "t", .container = "pg", .backend = BACKEND_DOCKER};
	_cleanup_close_ int lock = -1;
	char path[PATH_MAX];
	struct program p;
	struct error err;

	(void)state;
	assert_int_equal(lock_path(&o, f.socket, path, &err), 0);
	assert_int_equal(lock_shared(path, UINT64_MAX, &lock, &err), 0);
	assert_string_equal(SLEEP(0, "--idle-action", "stop"), STOPPED " " STOPPED);
	assert_non_null(strstr(p.text, "the container 'pg' is used by another instance"));
	assert_null(strstr(f.seen->text, "/pg/"));
	close_fd(&lock);
	/* The one that needs them runs on, for somebody else or because somebody else started it. */
	o.container = "x";
	assert_int_equal(lock_path(&o, f.socket, path, &err), 0);
	assert_int_equal(lock_shared(path, UINT64_MAX, &lock, &err), 0);
	assert_string_equal(SLEEP(0, "--idle-action", "stop"), "");
	close_fd(&lock);
	assert_string_equal(SLEEP(0, "--keep-running"), "GET json");
	/* Each has its own; the last one named is cache. */
	assert_string_equal(SLEEP(0, "--with-keep-running"), STOPPED " GET json " STOPPED);
	assert_non_null(strstr(p.text, "'cache' was not started by sockwake"));
	fake_stop(&f);
}

static void a_failure_does_not_keep_the_others_awake(void **state)
{
	START(f, SAY_STOPPED, SAY(running()), SAY(reply("500", "{\"message\":\"will not\"}")), SAY_STOPPED, /* */
	      SAY(running()), SAY(reply("500", "{\"message\":\"will not\"}")));
	struct program p;

	(void)state;
	assert_string_equal(SLEEP(EXIT_REFUSED, "--idle-action", "stop"), STOPPED " GET json POST stop " STOPPED);
	assert_non_null(strstr(p.failed, "cannot stop the container 'x': will not"));
	/* While the one that needs them runs, they do. */
	assert_string_equal(SLEEP(EXIT_REFUSED, "--idle-action", "stop"), "GET json POST stop");
	fake_stop(&f);
}

static void wrong_usage_is_refused(void **state)
{
	const char *const *const wrong[] = {
		ARGUMENTS("--name", "t", "--container", "x", "--with", "a/b", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "x", "--with-port", "1", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "x", "--with", "q", "--with-port", "0", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "x", "--with", "q", "--with-unit", "x y", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "x", "--with", "k", "--with", "k", "--with", "k", "--with", "k",
			  "--with", "k", "--with", "k", "--with", "k", "--with", "k", "--with", "k", "--with", "k",
			  "--with", "k", "--with", "k", "--with", "k", "--with", "k", "--with", "k", "--with", "k",
			  "--with", "a"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct program p;

		assert_int_equal(program_run(&p, NULL, wrong[i]), EXIT_USAGE);
		assert_non_null(strstr(p.text, "--with"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_ready_before_the_next, setup, teardown),
		cmocka_unit_test_setup_teardown(all_locks_are_handed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_check_it_is_ready_when_it_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(a_health_check_of_the_image_is_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(every_failure_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_waits_for_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_health_check_that_the_image_lacks_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_asked_for_is_not_passed_on, setup, teardown),
		cmocka_unit_test_setup_teardown(a_signal_while_one_is_awaited_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(sleep_goes_the_other_way, setup, teardown),
		cmocka_unit_test_setup_teardown(sleep_leaves_what_is_needed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failure_does_not_keep_the_others_awake, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_usage_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
