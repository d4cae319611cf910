/* --with: other containers come before the instance's own, and sleep after it. The engine is a fake, and so are the two
 * programs that ask a server whether it is ready. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "activator/runtime.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/exit.h"
#include "common/stats.h"
#include "tests/unit/activator_fixture.h"

/* Stands for nshelper: notes how it was called and what it was given, then does what the test wants. */
#define HELPER                                                                                                         \
	"#!/bin/sh\n"                                                                                                  \
	"cd %s\n"                                                                                                      \
	"echo \"$@\" >>calls\n"                                                                                        \
	"echo fds=$LISTEN_FDS pid=$LISTEN_PID notify=$NOTIFY_SOCKET deadline=${SOCKWAKE_DEADLINE:+set} >>calls\n"      \
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

/* What the instance's own wake becomes: `NSHELPER … -- PROXY …`. */
#define BECOME(program) "--", (program), "--user", "nobody", "--transparent", "--", "/the/proxy", "--forward", "1:2"

/* A program that is called like nshelper twice: for checks with "--await", and in the end for good. */
static const char *first_asks_then_looks(const char *look)
{
	char text[512];

	snprintf(text, sizeof(text), "case \"$*\" in *--await*) exit 0;; esac; %s", look);
	return helper(text);
}

#define WITH_TWO                                                                                                       \
	"--with", "db", "--with-port", "5432", "--with-health-check", "postgres", "--with", "cache", "--with-port",    \
		"6379", "--with-health-check", "redis"

static void each_is_ready_before_the_next(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(running()),
	      SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct queue q = queue_open();
	const char *text, *second;
	struct program p;
	char pid[32];

	(void)state;
	text = first_asks_then_looks("echo own >>calls");
	assert_int_equal(program_run(&p, q.sockets, ARGUMENTS(OPTIONS(f, "docker"), WITH_TWO, BECOME(text))), 0);
	assert_string_equal(requests(&f), "POST start GET json GET json POST start GET json GET json "
					  "POST start GET json GET json");
	assert_non_null(strstr(f.seen->text, "POST /containers/db/start"));
	assert_true(strstr(f.seen->text, "/cache/start") > strstr(f.seen->text, "/db/start"));
	assert_true(strstr(f.seen->text, "/c/start") > strstr(f.seen->text, "/cache/start"));

	text = calls();
	assert_ptr_equal(strstr(text, "--user nobody -- /the/proxy --await 5432 --health-check postgres\n"), text);
	second = strstr(text, "--user nobody -- /the/proxy --await 6379 --health-check redis\n");
	assert_non_null(second);
	assert_non_null(strstr(second, "--transparent -- /the/proxy --forward 1:2\n"));
	/* It gets the pidfd, and no socket of systemd's. */
	assert_non_null(strstr(text, "fds= pid= notify= deadline=set\n"));
	snprintf(pid, sizeof(pid), "Pid:\t%d\n", container_process());
	assert_non_null(strstr(text, pid));
	assert_non_null(strstr(text, "open: 0\n"));
	queue_close(&q);
	fake_stop(&f);
}

/* Counts the locks that the next program holds, and whether anybody else could lock one of these files exclusively. */
#define LOOK_AT_LOCKS                                                                                                  \
	"for fd in $(echo $SOCKWAKE_LOCK_FD | tr , ' '); do readlink /proc/self/fd/$fd; "                              \
	"flock -n -x /proc/self/fd/$fd true || echo locked; done; echo $SOCKWAKE_LOCK_FD"

static void all_locks_are_handed_down(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(running()),
	      SAY(NO_CONTENT), SAY(running()), SAY(running()));
	static const char *const containers[] = {"c", "db", "cache"};
	struct program p;
	size_t locked = 0;
	struct stats s;
	struct error err;

	(void)state;
	assert_int_equal(
		program_run(&p, NULL,
			    ARGUMENTS(OPTIONS(f, "docker"), WITH_TWO, BECOME(first_asks_then_looks(LOOK_AT_LOCKS)))),
		0);
	for (const char *t = p.text; (t = strstr(t, "locked\n")); t++)
		locked++;
	assert_int_equal(locked, 3);
	for (size_t k = 0; k < 3; k++) {
		struct options o = {.name = "t", .container = containers[k], .backend = BACKEND_DOCKER};
		char path[PATH_MAX];

		assert_int_equal(lock_path(&o, f.socket, path, &err), 0);
		assert_non_null(strstr(p.text, path));
	}
	runtime_read_stats(&(struct options){.name = "t"}, &s);
	assert_true(s.t_main < s.t_with && s.t_with < s.t_started && s.t_started < s.t_inspected);
	fake_stop(&f);
}

static void without_a_check_it_is_ready_when_it_runs(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NOT_MODIFIED), SAY(running()), SAY(running()),
	      SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(program_run(&p, NULL,
				     ARGUMENTS(OPTIONS(f, "docker"), "--with", "db", "--with", "cache", "--with-port",
					       "1", "--with-health-check", "none", "--", "/bin/true")),
			 0);
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
	assert_int_equal(program_run(&p, NULL,
				     ARGUMENTS(OPTIONS(f, "podman"), "--with", "db", "--with-health-check", "healthy",
					       "--with-port", "5432", BECOME(first_asks_then_looks("true")))),
			 0);
	assert_string_equal(requests(&f), "POST start GET json GET json GET healthcheck GET healthcheck "
					  "POST start GET json GET json");
	assert_non_null(strstr(calls(), "--await 5432 --health-check listen\n"));
	fake_stop(&f);
}

/* The client is reset; one line says which container, and why. */
static void assert_refused(const char *const *arguments, const char *why)
{
	struct queue q = queue_open();
	char path[96], byte;
	struct program p;

	snprintf(path, sizeof(path), "%s/t.stats", directory);
	(void)unlink(path); /* the wake that failed before this one is forgotten */
	assert_int_equal(program_run(&p, q.sockets, arguments), EXIT_REFUSED);
	if (!strstr(p.text, "'db', which comes before 'c': "))
		fail_msg("'%s' does not name the container", p.text);
	if (!strstr(p.text, why))
		fail_msg("'%s' does not say '%s'", p.text, why);
	assert_ptr_equal(strchr(p.text, '\n'), p.text + strlen(p.text) - 1);
	assert_int_equal(recv(q.client, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	queue_close(&q);
}

#define DB "--with", "db", "--with-port", "5432", "--with-health-check", "postgres"

static void every_failure_refuses_the_queue(void **state)
{
	START(f, SAY(NO_SUCH), SAY(NO_CONTENT), SAY(inspection("exited", 0, STARTED, "")), SAY(NO_CONTENT),
	      SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT),
	      SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT),
	      SAY(running()), SAY(running()));

	(void)state;
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), DB, BECOME(helper("true"))), "has no container 'db'");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), DB, BECOME(helper("true"))), "ended with status 7");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), DB,
				 BECOME(helper("echo '<5>a note' >&2; echo '<3>port 5432 is dead' >&2; exit 75"))),
		       " port 5432 is dead\n");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), DB, BECOME(helper("exit 1"))), "ended without an answer");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), DB, BECOME("/nonexistent/nshelper")),
		       "cannot run '/nonexistent/nshelper'");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), DB, "--", "/bin/true"), "of the form");
	/* One that hangs is not waited for longer than the rest of the time that all have together. */
	assert_refused(
		ARGUMENTS(OPTIONS(f, "docker"), "--startup-timeout", "300ms", DB, BECOME(helper("exec sleep 1000"))),
		"ended without an answer");
	assert_string_equal(requests(&f), "POST start POST start GET json POST start GET json GET json "
					  "POST start GET json GET json POST start GET json GET json "
					  "POST start GET json GET json POST start GET json GET json");
	fake_stop(&f);
}

static void a_signal_while_one_is_awaited_refuses_the_queue(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct queue q = queue_open();
	struct program p;
	char asked[96], byte;

	(void)state;
	program_start(&p, q.sockets,
		      ARGUMENTS(OPTIONS(f, "docker"), DB, BECOME(helper("touch asked; exec sleep 1000"))));
	snprintf(asked, sizeof(asked), "%s/asked", directory);
	while (access(asked, F_OK) != 0)
		usleep(1000);
	kill(p.pid, SIGTERM);
	assert_int_equal(program_finish(&p), EXIT_REFUSED);
	assert_int_equal(recv(q.client, &byte, 1, 0), -1);
	queue_close(&q);
	fake_stop(&f);
}

/* Runs --sleep with db and cache, and says which requests it made. */
#define SLEEP(status, ...)                                                                                             \
	({                                                                                                             \
		assert_int_equal(program_run(&p, NULL,                                                                 \
					     ARGUMENTS("--sleep", OPTIONS(f, "docker"), "--with", "db", "--with",      \
						       "cache", __VA_ARGS__)),                                         \
				 status);                                                                              \
		requests(&f);                                                                                          \
	})

static void sleep_goes_the_other_way(void **state)
{
	START(f, SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(NO_CONTENT), SAY(running()),
	      SAY(NO_CONTENT),										/* */
	      SAY(NO_SUCH), SAY(inspection("exited", 0, STARTED, "")), SAY(running()), SAY(NO_CONTENT), /* */
	      SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(NO_CONTENT));
	struct program p;

	(void)state;
	assert_string_equal(SLEEP(0, "--idle-action", "stop"),
			    "GET json POST stop GET json POST stop GET json POST stop");
	assert_true(strstr(f.seen->text, "/c/stop") < strstr(f.seen->text, "/cache/stop"));
	assert_true(strstr(f.seen->text, "/cache/stop") < strstr(f.seen->text, "/db/stop"));
	/* One that is gone, or sleeps already, does not keep the others. */
	assert_string_equal(SLEEP(0, "--idle-action", "stop"), "GET json GET json GET json POST stop");
	assert_string_equal(SLEEP(0, "--idle-action", "pause"),
			    "GET json POST pause GET json POST pause GET json POST pause");
	fake_stop(&f);
}

static void sleep_leaves_what_is_needed(void **state)
{
	START(f, SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(NO_CONTENT), /* db is in use */
	      SAY(running()),							   /* --keep-running */
	      SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT));
	struct options o = {.name = "t", .container = "db", .backend = BACKEND_DOCKER};
	_cleanup_close_ int lock = -1;
	char path[PATH_MAX];
	struct program p;
	struct error err;

	(void)state;
	assert_int_equal(lock_path(&o, f.socket, path, &err), 0);
	assert_int_equal(lock_shared(path, UINT64_MAX, &lock, &err), 0);
	assert_string_equal(SLEEP(0, "--idle-action", "stop"), "GET json POST stop GET json POST stop");
	assert_non_null(strstr(p.text, "another instance is using the container 'db'"));
	assert_null(strstr(f.seen->text, "/db/"));
	close_fd(&lock);
	/* The one that needs them runs on, for somebody else or because somebody else started it. */
	o.container = "c";
	assert_int_equal(lock_path(&o, f.socket, path, &err), 0);
	assert_int_equal(lock_shared(path, UINT64_MAX, &lock, &err), 0);
	assert_string_equal(SLEEP(0, "--idle-action", "stop"), "");
	close_fd(&lock);
	assert_string_equal(SLEEP(0, "--keep-running"), "GET json");
	/* Each has its own; the last one named is cache. */
	assert_string_equal(SLEEP(0, "--with-keep-running"), "GET json POST stop GET json GET json POST stop");
	assert_non_null(strstr(p.text, "'cache' was not started by sockwake"));
	fake_stop(&f);
}

static void a_failure_does_not_keep_the_others_awake(void **state)
{
	START(f, SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(reply("500", "{\"message\":\"will not\"}")),
	      SAY(running()), SAY(NO_CONTENT), /* */
	      SAY(running()), SAY(reply("500", "{\"message\":\"will not\"}")));
	struct program p;

	(void)state;
	assert_string_equal(SLEEP(1, "--idle-action", "stop"),
			    "GET json POST stop GET json POST stop GET json POST stop");
	assert_non_null(strstr(p.text, "cannot stop the container 'cache': will not"));
	/* While the one that needs them runs, they do. */
	assert_string_equal(SLEEP(1, "--idle-action", "stop"), "GET json POST stop");
	fake_stop(&f);
}

static void wrong_usage_is_refused(void **state)
{
	const char *const *const wrong[] = {
		ARGUMENTS("--name", "t", "--container", "c", "--with", "a/b", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "c", "--with-port", "1", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "c", "--with", "d", "--with-port", "0", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "c", "--with", "d", "--with-unit", "x y", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "c", "--with", "a", "--with", "a", "--with", "a", "--with", "a",
			  "--with", "a", "--with", "a", "--with", "a", "--with", "a", "--with", "a", "--with", "a",
			  "--with", "a", "--with", "a", "--with", "a", "--with", "a", "--with", "a", "--with", "a",
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
		cmocka_unit_test_setup_teardown(all_locks_are_handed_down, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_check_it_is_ready_when_it_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(a_health_check_of_the_image_is_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(every_failure_refuses_the_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(a_signal_while_one_is_awaited_refuses_the_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(sleep_goes_the_other_way, setup, teardown),
		cmocka_unit_test_setup_teardown(sleep_leaves_what_is_needed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failure_does_not_keep_the_others_awake, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_usage_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
