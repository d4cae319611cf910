/* A wake from the first request to exec, and every way to fail before; putting to sleep and every reason not to. The
 * engine is a fake, the sockets and clients are real. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "activator/runtime.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/exit.h"
#include "common/stats.h"
#include "tests/unit/activator_fixture.h"

/* What the next program gets. */
#define LOOK                                                                                                           \
	"--", "/bin/sh", "-c",                                                                                         \
		"echo pid=$LISTEN_PID,$$ fds=$LISTEN_FDS; "                                                            \
		"grep Pid: /proc/self/fdinfo/$SOCKWAKE_PIDFD; "                                                        \
		"readlink /proc/self/fd/$SOCKWAKE_LOCK_FD; readlink /proc/self/fd/$SOCKWAKE_STATS_FD; "                \
		"flock -n -x $0 true || echo locked; echo deadline=$SOCKWAKE_DEADLINE; "                               \
		"echo open: /proc/self/fd/*"

static void a_wake_hands_over(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct queue q = queue_open();
	char pid[32], lock[PATH_MAX], open_fds[256];
	struct options o = {.name = "t", .container = "c", .backend = BACKEND_DOCKER};
	struct program p;
	struct stats s;
	struct error err;

	(void)state;
	assert_int_equal(lock_path(&o, f.socket, lock, &err), 0);
	assert_int_equal(program_run(&p, q.sockets, ARGUMENTS(OPTIONS(f, "docker"), LOOK, lock)), 0);
	assert_string_equal(requests(&f), "POST start GET json GET json");
	assert_int_equal(f.seen->connections, 1);
	snprintf(pid, sizeof(pid), "pid=%d,%d fds=1\n", p.pid, p.pid);
	assert_non_null(strstr(p.text, pid));
	snprintf(pid, sizeof(pid), "Pid:\t%d\n", container_process());
	assert_non_null(strstr(p.text, pid));
	assert_non_null(strstr(p.text, lock));
	assert_non_null(strstr(p.text, "/t.stats\n"));
	assert_non_null(strstr(p.text, "locked\n"));
	assert_non_null(strstr(p.text, "deadline="));
	/* Nothing else is inherited: no connection to the engine. 0-3, statistics, lock, pidfd, and the shell's own. */
	snprintf(open_fds, sizeof(open_fds), "%s", strstr(p.text, "open: "));
	assert_null(strstr(open_fds, "/9"));
	runtime_read_stats(&o, &s);
	assert_int_equal(s.wakes, 1);
	assert_int_equal(s.container_pid, container_process());
	assert_int_equal(s.flags, 0);
	assert_true(s.t_spawned <= s.t_main && s.t_main < s.t_started && s.t_started < s.t_inspected);
	queue_close(&q);
	fake_stop(&f);
}

static void found_running_is_told_from_started_by_an_earlier_wake(void **state)
{
	START(f, SAY(NOT_MODIFIED), SAY(running()), SAY(running()), /* somebody else's */
	      SAY(NO_CONTENT), SAY(running()), SAY(running()),	    /* ours */
	      SAY(NOT_MODIFIED), SAY(running()), SAY(running()),    /* after a crash */
	      SAY(NOT_MODIFIED), SAY(inspection("running", container_process(), "2027", "")),
	      SAY(inspection("running", container_process(), "2027", "")));
	static const uint64_t flags[] = {STATS_FOUND_RUNNING, 0, 0, STATS_FOUND_RUNNING};
	struct options o = {.name = "t", .container = "c", .backend = BACKEND_DOCKER};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct program p;
		struct stats s;

		assert_int_equal(program_run(&p, NULL, ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true")), 0);
		runtime_read_stats(&o, &s);
		assert_int_equal(s.wakes, i + 1);
		assert_int_equal(s.flags, flags[i]);
	}
	fake_stop(&f);
}

static void a_paused_container_is_unpaused(void **state)
{
	START(f, SAY(CONFLICT), SAY(NO_CONTENT), SAY(running()), SAY(running()));
	START(g, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(PODMAN_IMPROPER), SAY(NO_CONTENT), SAY(running()),
	      SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(program_run(&p, NULL, ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true")), 0);
	assert_string_equal(requests(&f), "POST start POST unpause GET json GET json");
	/* With --idle-action pause it is the first thing to try. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			program_run(&p, NULL,
				    ARGUMENTS(OPTIONS(g, "podman"), "--idle-action", "pause", "--", "/bin/true")),
			0);
	assert_string_equal(requests(&g), "POST unpause GET json GET json POST unpause POST start GET json GET json");
	assert_non_null(strstr(g.seen->text, "POST /v4.0.0/libpod/containers/c/unpause HTTP/1.1"));
	fake_stop(&f);
	fake_stop(&g);
}

static void a_restart_in_between_is_noticed(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(inspection("running", container_process(), "2027", "")),
	      SAY(NOT_MODIFIED), SAY(inspection("restarting", 0, STARTED, "")), SAY(NOT_MODIFIED), SAY(running()),
	      SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(program_run(&p, NULL, ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true")), 0);
	assert_string_equal(requests(&f),
			    "POST start GET json GET json POST start GET json POST start GET json GET json");
	fake_stop(&f);
}

static const char *stats_file(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/t.stats", directory);
	return path;
}

/* Runs a wake that must fail: the client is reset, the status says so, the text tells why. */
static void assert_refused(const char *const *arguments, const char *why)
{
	struct queue q = queue_open();
	struct program p;
	char byte;

	(void)unlink(stats_file()); /* the wake that failed before this one is forgotten */
	assert_int_equal(program_run(&p, q.sockets, arguments), EXIT_REFUSED);
	if (!strstr(p.text, why))
		fail_msg("'%s' does not say '%s'", p.text, why);
	assert_true(strchr(p.text, '\n') == p.text + strlen(p.text) - 1); /* one line */
	assert_int_equal(recv(q.client, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	queue_close(&q);
}

/* Its first process is a zombie, but the engine still says that it runs. */
static void an_end_is_noticed_before_the_engine_knows(void **state)
{
	pid_t zombie = fork();
	siginfo_t ignored;

	(void)state;
	if (zombie == 0)
		_exit(7);
	assert_int_equal(waitid(P_PID, (id_t)zombie, &ignored, WEXITED | WNOWAIT), 0);
	START(f, SAY(NO_CONTENT), SAY(inspection("running", zombie, STARTED, "")),
	      SAY(inspection("running", zombie, STARTED, "")), SAY(NOT_MODIFIED),
	      SAY(inspection("exited", 0, STARTED, "")));

	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true"), "ended with status 7");
	assert_string_equal(requests(&f), "POST start GET json GET json POST start GET json");
	assert_int_equal(waitpid(zombie, NULL, 0), zombie);
	fake_stop(&f);
}

/* An engine in a virtual machine tells the PID of something else here, or of nothing. */
static void another_machines_process(void **state)
{
	struct exchange strangers[] = {SAY(NO_CONTENT), SAY(inspection("running", getpid(), STARTED, "")),
				       SAY(inspection("running", getpid(), STARTED, ""))};
	struct exchange absent[64];
	struct fake_engine f, g;
	pid_t gone = fork();
	uint64_t began;

	(void)state;
	if (gone == 0)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	absent[0] = (struct exchange)SAY(NOT_MODIFIED);
	absent[1] = (struct exchange)SAY(inspection("running", gone, STARTED, ""));
	for (size_t k = 2; k < 64; k++)
		absent[k] = absent[k - 2];
	fake_start(&f, strangers, 3);
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/echo", "entered"), "engines in a virtual machine");
	assert_string_equal(requests(&f), "POST start GET json GET json");
	fake_stop(&f);
	fake_start(&g, absent, 64);
	began = now_usec();
	assert_refused(ARGUMENTS(OPTIONS(g, "docker"), "--", "/bin/echo", "entered"), "engines in a virtual machine");
	assert_in_range(now_usec() - began, USEC_PER_SEC, 5 * USEC_PER_SEC); /* its end might just not be known yet */
	fake_stop(&g);
}

/* It could read the host's files through what a health check runs. */
static void a_command_for_who_sees_the_host(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct program p;

	(void)state; /* the process is in our own PID namespace */
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/echo", "--health-check", "test -e /x"),
		       "sees the host's processes");
	assert_int_equal(
		program_run(&p, NULL, ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/echo", "--health-check", "http")), 0);
	fake_stop(&f);
}

static void every_failure_refuses_the_queue(void **state)
{
	START(f, SAY(NO_SUCH), SAY(NO_CONTENT), SAY(inspection("exited", 0, STARTED, "")),
	      SAY(reply("500", "{\"message\":\"no runtime!\"}")), SAY_THEN("SSH-2.0-x\r\n", CLOSE), SAY(CONFLICT),
	      SAY(NOT_PAUSED), SAY(inspection("dead", 0, STARTED, "")), SAY_THEN(NULL, STALL), SAY(NO_CONTENT),
	      SAY(running()), SAY(running()));
	struct fake_engine none = {.socket = "/nonexistent/engine.sock"};

	(void)state;
	assert_refused(ARGUMENTS(OPTIONS(none, "podman"), "--", "/bin/true"), "podman.socket'");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true"), "has no container 'c'");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true"), "ended with status 7");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true"), "no runtime!");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true"), "makes no sense");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true"), "unpause it instead");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--startup-timeout", "200ms", "--", "/bin/true"), "in time");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--", "/nonexistent/nshelper"), "'/nonexistent/nshelper'");
	fake_stop(&f);
}

/* Of the wake that was last. Its service has come to accept if `accepted` says so. */
static uint64_t time_of_wake(bool accepted)
{
	_cleanup_close_ int fd = open(stats_file(), O_RDWR | O_CLOEXEC);
	struct error err;
	struct stats *s = stats_map(fd, 0, &err);
	uint64_t t;

	assert_non_null(s);
	t = s->t_main;
	s->t_accepting = accepted ? t : 0;
	assert_int_equal(munmap(s, sizeof(*s)), 0);
	return t;
}

static void a_wake_waits_after_a_failed_one(void **state)
{
	START(f, SAY(NO_SUCH), SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()),
	      SAY(running()));
	const char *const *arguments = ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true");
	uint64_t began, failed;
	struct program p;

	(void)state;
	assert_refused(arguments, "has no container 'c'");
	failed = time_of_wake(false);
	assert_int_equal(program_run(&p, NULL, arguments), 0);
	assert_true(time_of_wake(true) >= failed + USEC_PER_SEC);
	began = now_usec();
	assert_int_equal(program_run(&p, NULL, arguments), 0);
	assert_true(time_of_wake(true) < began + USEC_PER_SEC / 2);
	fake_stop(&f);
}

static void a_signal_before_the_end_refuses_the_queue(void **state)
{
	START(f, SAY_THEN(NULL, STALL));
	struct queue q = queue_open();
	struct program p;
	char byte;

	(void)state;
	program_start(&p, q.sockets, ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true"));
	while (((volatile struct seen *)f.seen)->requests == 0)
		usleep(1000);
	kill(p.pid, SIGTERM);
	assert_int_equal(program_finish(&p), EXIT_REFUSED);
	assert_int_equal(recv(q.client, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	queue_close(&q);
	fake_stop(&f);
}

static void wrong_usage_is_refused(void **state)
{
	const char *const *const wrong[] = {
		ARGUMENTS("--name", "t", "--container", "c"),
		ARGUMENTS("--name", "t", "--", "/bin/true"),
		ARGUMENTS("--name", "a/b", "--container", "c", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "a/../b", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "c", "--backend", "lxc", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "c", "--startup-timeout", "soon", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "c", "--unit", "x.socket", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "c", "--unit", "x y.service", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "c", "--no-wake-from", "10.0.0.0/99", "--", "/bin/true"),
		ARGUMENTS("--name", "t", "--container", "c", "--unknown", "--", "/bin/true"),
		ARGUMENTS("--sleep", "--name", "t", "--container", "c", "extra"),
		ARGUMENTS("--sleep", "--name", "t", "--container", "c", "--idle-action", "nap"),
		ARGUMENTS("--notify", "started", "--name", "t"),
		ARGUMENTS("--notify", "maybe", "--name", "t", "--user", "root"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct queue q = queue_open();
		struct program p;
		char byte;

		assert_int_equal(program_run(&p, q.sockets, wrong[i]), EXIT_USAGE);
		assert_int_equal(recv(q.client, &byte, 1, 0), -1);
		queue_close(&q);
	}
}

static void healthy_is_asked_for_until_it_is(void **state)
{
	static const char test[] = "\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"]}";
	const char *sick = reply("200", "{\"Status\":\"starting\",\"Log\":[{\"ExitCode\":1}]}");
	const char *well = reply("200", "{\"Status\":\"starting\",\"Log\":[{\"ExitCode\":0}]}");
	START(f, SAY(NO_CONTENT), SAY(inspection("running", container_process(), STARTED, test)),
	      SAY(inspection("running", container_process(), STARTED, test)), SAY(sick), SAY(well), SAY(NO_CONTENT),
	      SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(program_run(&p, NULL, ARGUMENTS(OPTIONS(f, "podman"), "--healthy", "--", "/bin/true")), 0);
	assert_string_equal(requests(&f), "POST start GET json GET json GET healthcheck GET healthcheck");
	assert_refused(ARGUMENTS(OPTIONS(f, "podman"), "--healthy", "--", "/bin/true"), "has no health check");
	fake_stop(&f);
}

/* Runs --sleep, and says which requests it made. */
#define SLEEP(status, ...)                                                                                             \
	({                                                                                                             \
		struct program p_;                                                                                     \
		assert_int_equal(program_run(&p_, NULL, ARGUMENTS("--sleep", __VA_ARGS__)), status);                   \
		requests(&f);                                                                                          \
	})

static void sleep_stops_or_pauses_by_state(void **state)
{
	START(f, SAY(running()), SAY(NO_CONTENT), /* */
	      SAY(running()), SAY(NO_CONTENT),	  /* */
	      SAY(inspection("paused", 0, STARTED, "")), SAY(NO_CONTENT), SAY(NO_CONTENT),
	      SAY(inspection("paused", 0, STARTED, "")), SAY(inspection("exited", 0, STARTED, "")), SAY(NO_SUCH),
	      SAY(running()), SAY(NOT_MODIFIED));

	(void)state;
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json POST stop");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--idle-action", "pause"), "GET json POST pause");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json POST unpause POST stop");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--idle-action", "pause"), "GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json"); /* exited */
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json"); /* removed */
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json POST stop");
	fake_stop(&f);
}

static void sleep_leaves_what_is_not_to_sleep(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), /* a wake of ours */
	      SAY(running()), SAY(NO_CONTENT), SAY(inspection("running", container_process(), "2027", "")));
	struct options o = {.name = "t", .container = "c", .backend = BACKEND_DOCKER};
	static const char *const crashes[] = {"signal", "core-dump", "oom-kill"};
	_cleanup_close_ int lock = -1;
	char path[PATH_MAX];
	struct program p;
	struct error err;

	(void)state;
	/* A restart follows. */
	for (size_t i = 0; i < 3; i++) {
		setenv("SERVICE_RESULT", crashes[i], 1);
		assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "");
	}
	setenv("SERVICE_RESULT", "success", 1);
	/* Another instance uses it. */
	assert_int_equal(lock_path(&o, f.socket, path, &err), 0);
	assert_int_equal(lock_shared(path, UINT64_MAX, &lock, &err), 0);
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--sleep", OPTIONS(f, "docker"))), 0);
	assert_non_null(strstr(p.text, "another instance"));
	assert_string_equal(requests(&f), "");
	close_fd(&lock);
	/* --keep-running leaves what somebody else has started, and that alone. */
	assert_int_equal(program_run(&p, NULL, ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true")), 0);
	assert_string_equal(requests(&f), "POST start GET json GET json");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--keep-running"), "GET json POST stop");
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker"), "--keep-running"), "GET json");
	fake_stop(&f);
}

static void a_missing_engine_is_no_failure_of_sleep(void **state)
{
	struct fake_engine none = {.socket = "/nonexistent/engine.sock"};
	struct program p;

	(void)state;
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--sleep", OPTIONS(none, "docker"))), 0);
	assert_non_null(strstr(p.text, "nothing listens"));
	/* The wake has said it. */
	setenv("EXIT_STATUS", "75", 1);
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--sleep", OPTIONS(none, "docker"))), 0);
	assert_string_equal(p.text, "");
}

static void a_failing_engine_is_a_failure_of_sleep(void **state)
{
	START(f, SAY(running()), SAY(reply("500", "{\"message\":\"will not\"}")));
	struct program p;

	(void)state;
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--sleep", OPTIONS(f, "docker"))), 1);
	assert_non_null(strstr(p.text, "cannot stop the container 'c': will not"));
	fake_stop(&f);
}

/* "HH:MM-HH:MM" around now, or (off) so many minutes from now. */
static const char *window(int first, int last)
{
	static char text[16];
	time_t begin = time(NULL) + first * 60, end = time(NULL) + last * 60;
	struct tm a, b;

	localtime_r(&begin, &a);
	localtime_r(&end, &b);
	snprintf(text, sizeof(text), "%02d:%02d-%02d:%02d", a.tm_hour, a.tm_min, b.tm_hour, b.tm_min);
	return text;
}

static struct stats stats_now(void)
{
	struct options o = {.name = "t"};
	struct stats s;

	runtime_read_stats(&o, &s);
	return s;
}

#define WAKE(status, ...)                                                                                              \
	({                                                                                                             \
		struct program p_;                                                                                     \
		assert_int_equal(program_run(&p_, __VA_ARGS__), status);                                               \
		requests(&f);                                                                                          \
	})
#define ALL_OF_IT "POST start GET json GET json"

static void a_schedule_keeps_it_warm(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), /* */
	      SAY(NO_CONTENT), SAY(running()), SAY(running()));
	const char *const *on = ARGUMENTS(OPTIONS(f, "docker"), "--schedule", window(-1, 5), "--", "/bin/true");
	uint64_t now = wall_usec();
	struct stats s;

	(void)state;
	assert_string_equal(WAKE(0, NULL, on), ALL_OF_IT);
	s = stats_now();
	assert_in_range(stats_held_until(&s, wall_usec()), now + 239 * USEC_PER_SEC, now + 301 * USEC_PER_SEC);
	/* one that is to come is known, too */
	assert_string_equal(
		WAKE(0, NULL, ARGUMENTS(OPTIONS(f, "docker"), "--schedule", window(60, 90), "--", "/bin/true")),
		ALL_OF_IT);
	s = stats_now();
	assert_int_equal(stats_held_until(&s, wall_usec()), 0);
	assert_in_range(s.warm[0].from, now + 59 * 60 * USEC_PER_SEC, now + 61 * 60 * USEC_PER_SEC);
	assert_true(stats_held_until(&s, s.warm[0].from) == s.warm[0].until);
	/* and that of the day after, for who stays connected until then */
	assert_in_range(s.warm[1].from, s.warm[0].from + 22 * 3600 * USEC_PER_SEC,
			s.warm[0].from + 26 * 3600 * USEC_PER_SEC);
	assert_true(s.warm[STATS_WINDOWS - 1].from > s.warm[1].until);
	fake_stop(&f);
}

/* What the timer starts after the end of a window sleeps on; what anybody else starts wakes. */
static void a_timer_that_comes_late_wakes_nothing(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), /* */
	      SAY(NO_CONTENT), SAY(running()), SAY(running()),	  /* */
	      SAY(NO_CONTENT), SAY(running()), SAY(running()));
	const char *const *off = ARGUMENTS(OPTIONS(f, "docker"), "--schedule", window(60, 90), "--", "/bin/true");
	struct queue q = queue_open();
	struct error err;
	struct stats s;

	(void)state;
	assert_string_equal(WAKE(0, NULL, off), ALL_OF_IT);
	setenv("TRIGGER_TIMER_REALTIME_USEC", "1", 1);
	assert_string_equal(WAKE(0, NULL, off), "");
	s = stats_now();
	assert_int_equal(s.wakes, 1);
	assert_int_equal(s.flags, STATS_LATE);
	/* a client came meanwhile */
	assert_string_equal(WAKE(0, q.sockets, off), ALL_OF_IT);
	assert_int_equal(stats_now().flags, 0);
	/* it is held, and had crashed */
	assert_int_equal(stats_hold(stats_file(), wall_usec() + 60 * USEC_PER_SEC, &err), 0);
	assert_string_equal(WAKE(0, NULL, off), ALL_OF_IT);
	unsetenv("TRIGGER_TIMER_REALTIME_USEC");
	queue_close(&q);
	fake_stop(&f);
}

static void with_nobody_in_the_queue_nobody_is_kept_from_waking(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()));
	const char *const *arguments =
		ARGUMENTS(OPTIONS(f, "docker"), "--no-wake-from", "127.0.0.1", "--", "/bin/true");
	struct queue q = queue_open();

	(void)state;
	assert_string_equal(WAKE(0, q.sockets, arguments), "");
	assert_int_equal(stats_now().flags, STATS_NOBODY);
	assert_string_equal(WAKE(0, q.sockets, arguments), ALL_OF_IT);
	queue_close(&q);
	fake_stop(&f);
}

static void a_hold_ends_with_sleep_alone(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), /* */
	      SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(running()), SAY(NO_CONTENT));
	const char *const *arguments = ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/true");
	uint64_t until = wall_usec() + 3600 * USEC_PER_SEC;
	struct error err;

	(void)state;
	assert_string_equal(WAKE(0, NULL, arguments), ALL_OF_IT);
	assert_int_equal(stats_hold(stats_file(), until, &err), 0);
	setenv("SERVICE_RESULT", "signal", 1);
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "");
	assert_string_equal(WAKE(0, NULL, arguments), ALL_OF_IT);
	assert_true(stats_now().held_until == until);
	setenv("SERVICE_RESULT", "success", 1);
	assert_string_equal(SLEEP(0, OPTIONS(f, "docker")), "GET json POST stop");
	assert_int_equal(stats_now().held_until, 0);
	fake_stop(&f);
}

static void a_notification_that_nobody_sees_is_no_failure(void **state)
{
	struct program p;

	(void)state;
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--notify", "started", "--name", "t", "--user", "nobody")), 0);
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--notify", "stopped", "--name", "t", "--user", "no.such")),
			 1);
	assert_non_null(strstr(p.text, "no user 'no.such'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_wake_hands_over, setup, teardown),
		cmocka_unit_test_setup_teardown(found_running_is_told_from_started_by_an_earlier_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(a_paused_container_is_unpaused, setup, teardown),
		cmocka_unit_test_setup_teardown(another_machines_process, setup, teardown),
		cmocka_unit_test_setup_teardown(a_command_for_who_sees_the_host, setup, teardown),
		cmocka_unit_test_setup_teardown(an_end_is_noticed_before_the_engine_knows, setup, teardown),
		cmocka_unit_test_setup_teardown(a_restart_in_between_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(every_failure_refuses_the_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wake_waits_after_a_failed_one, setup, teardown),
		cmocka_unit_test_setup_teardown(a_signal_before_the_end_refuses_the_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_usage_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(healthy_is_asked_for_until_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(sleep_stops_or_pauses_by_state, setup, teardown),
		cmocka_unit_test_setup_teardown(sleep_leaves_what_is_not_to_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_engine_is_no_failure_of_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failing_engine_is_a_failure_of_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(a_schedule_keeps_it_warm, setup, teardown),
		cmocka_unit_test_setup_teardown(a_timer_that_comes_late_wakes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(with_nobody_in_the_queue_nobody_is_kept_from_waking, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hold_ends_with_sleep_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_notification_that_nobody_sees_is_no_failure, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
