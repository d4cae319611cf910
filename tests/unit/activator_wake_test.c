/* A wake from the first request to what the keeper gets. The engine is a fake, the test is the keeper. */
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
#include "handover/exit.h"
#include "handover/stats.h"
#include "tests/unit/activator_fixture.h"
#include "tests/unit/name_fixture.h"

static const char *stats_file(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/t.stats", directory);
	return path;
}

/* A line of /proc/self/fdinfo or the target of the link in /proc/self/fd. */
static const char *describe_fd(int fd, const char *folder)
{
	static char text[PATH_MAX];
	char path[64];
	ssize_t n;
	int file;

	snprintf(path, sizeof(path), "/proc/self/%s/%d", folder, fd);
	if (strcmp(folder, "fd") == 0) {
		n = readlink(path, text, sizeof(text) - 1);
	} else {
		file = open(path, O_RDONLY | O_CLOEXEC);
		n = read(file, text, sizeof(text) - 1);
		close(file);
	}
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* Would somebody who puts it to sleep be kept out? */
static bool is_locked(const char *path)
{
	_cleanup_close_ int fd = -1;
	struct error err;

	return lock_exclusive(path, 0, &fd, &err) < 0 && err.code == EWOULDBLOCK;
}

static void a_wake_hands_over(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct options o = {.name = "t", .container = "x", .backend = BACKEND_DOCKER};
	char pid[32], lock[PATH_MAX];
	struct program p;
	struct error err;

	(void)state;
	assert_int_equal(lock_path(&o, f.socket, lock, &err), 0);
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	assert_string_equal(p.text, "");
	assert_string_equal(p.failed, "");
	assert_string_equal(requests(&f), "POST start GET json GET json");
	assert_int_equal(f.seen->connections, 1);
	/* The keeper has them now: the pidfd and the lock, which outlives the activator. */
	assert_int_equal(p.woken.n_fds, 3);
	snprintf(pid, sizeof(pid), "Pid:\t%d\n", container_process());
	assert_non_null(strstr(describe_fd(p.woken.fds[0], "fdinfo"), pid));
	assert_string_equal(describe_fd(p.woken.fds[1], "fd"), lock);
	assert_true(is_locked(lock));
	message_clear(&p.woken);
	assert_false(is_locked(lock));
	/* What it counts is for the keeper to write down. */
	assert_int_equal(p.stats->container_pid, container_process());
	assert_int_equal(p.stats->flags, 0);
	assert_true(p.stats->t_started > 0 && p.stats->t_started < p.stats->t_inspected);
	assert_int_equal(access(stats_file(), F_OK), -1);
	program_release(&p);
	fake_stop(&f);
}

/* Each request with its status, and nothing of what is in the bodies. */
static void the_debug_level_tells_each_step(void **state)
{
	static const char *const steps[] = {"activator +",
					    "wakes the container 'x' of Docker, at '",
					    "has the lock '",
					    "(shared) after ",
					    "Docker: POST /containers/x/start: status 204 after ",
					    "Docker: GET /containers/x/json: status 200 after ",
					    "' is running, its PID ",
					    "is the first one of the container 'x': has its pidfd\n",
					    "the container 'x' was woken: tells the keeper\n",
					    NULL};
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()));
	const char *rest;
	struct program p;

	(void)state;
	setenv("SOCKWAKE_LOG", "debug", 1);
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	unsetenv("SOCKWAKE_LOG");
	rest = p.text;
	for (const char *const *step = steps; *step; step++) {
		rest = strstr(rest, *step);
		if (!rest)
			fail_msg("no '%s', or not in this order, in\n%s", *step, p.text);
	}
	assert_null(strchr(p.text, '{'));
	assert_null(strstr(p.text, STARTED));
	program_release(&p);
	fake_stop(&f);
}

/* Said before the engine is asked: it may never answer. */
static void what_takes_long_is_told_in_advance(void **state)
{
	START(f, SAY_THEN(NULL, STALL));
	struct program p;

	(void)state;
	program_start_kept(&p, ARGUMENTS(OPTIONS(f, "docker")));
	while (((volatile struct seen *)f.seen)->requests == 0)
		usleep(1000);
	expect_name(p.pid, "activator");
	program_listen(&p);
	assert_int_equal(p.starting, 1);
	assert_string_equal(p.awaited, "Docker has not started 'x'");
	assert_string_equal(p.hint, "'docker ps' shows whether Docker answers");
	kill(p.pid, SIGKILL);
	assert_int_equal(program_finish(&p), -SIGKILL);
	program_release(&p);
	fake_stop(&f);
}

/* A start cannot be called off: it is waited for beyond the deadline, and then there is time for what is left. */
static void a_late_start_is_waited_for(void **state)
{
	START(f, SAY_LATE(NO_CONTENT, 500), SAY(running()), SAY(running()));
	uint64_t begin = now_usec();
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--startup-timeout", "200ms")), 0);
	assert_int_equal(p.woken.n_fds, 3);
	assert_in_range(msec_since(begin), 500, 5000);
	program_release(&p);
	fake_stop(&f);
}

/* Told to stop meanwhile, it still sees the answer, and then ends without a word to the engine. */
static void a_signal_during_a_start_waits_for_the_answer(void **state)
{
	START(f, SAY_LATE(NO_CONTENT, 500), SAY(running()), SAY(running()));
	uint64_t begin = now_usec();
	struct program p;

	(void)state;
	program_start_kept(&p, ARGUMENTS(OPTIONS(f, "docker")));
	while (((volatile struct seen *)f.seen)->requests == 0)
		usleep(1000);
	kill(p.pid, SIGTERM);
	assert_int_equal(program_finish(&p), EXIT_REFUSED);
	assert_in_range(msec_since(begin), 500, 5000);
	assert_non_null(strstr(p.failed, "the activator was told to stop (signal 15)"));
	assert_int_equal(p.woken.n_fds, 0);
	assert_string_equal(requests(&f), "POST start");
	program_release(&p);
	fake_stop(&f);
}

/* What the lock says, as it would read in a shell. */
static const char *recorded(const struct fake_engine *f)
{
	struct options o = {.name = "t", .container = "x", .backend = BACKEND_DOCKER};
	static char text[RUN_TEXT_MAX];
	char path[PATH_MAX];
	struct error err;
	int fd;

	assert_int_equal(lock_path(&o, f->socket, path, &err), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	lock_read(fd, text);
	close(fd);
	return text;
}

/* An activator that is killed in the middle leaves a note that the run is ours. */
static void a_start_is_written_down_before_it_is_asked_for(void **state)
{
	START(f, SAY_THEN(NULL, STALL), SAY(inspection("running", container_process(), "2027", "")), SAY(NO_CONTENT),
	      SAY(inspection("exited", 0, STARTED, "")));
	struct program p;

	(void)state;
	program_start_kept(&p, ARGUMENTS(OPTIONS(f, "docker")));
	while (((volatile struct seen *)f.seen)->requests == 0)
		usleep(1000);
	assert_string_equal(recorded(&f), RUN_STARTING);
	kill(p.pid, SIGKILL);
	assert_int_equal(program_finish(&p), -SIGKILL);
	program_release(&p);
	assert_string_equal(requests(&f), "POST start");
	/* Whatever run it is, it is put to sleep, and then there is none. */
	assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", OPTIONS(f, "docker"), "--keep-running")), 0);
	assert_string_equal(requests(&f), "GET json POST stop GET json");
	assert_string_equal(recorded(&f), ID "\n");
	program_release(&p);
	fake_stop(&f);
}

/* And stays ours when the next wake finds it running, also with --keep-running. */
static void what_a_killed_wake_has_started_is_ours(void **state)
{
	START(f, SAY_THEN(NULL, STALL), SAY(running()), SAY(NOT_MODIFIED), SAY(running()), SAY(running()),
	      SAY(running()), SAY(NO_CONTENT), SAY(EXITED));
	struct program p;

	(void)state;
	program_start_kept(&p, ARGUMENTS(OPTIONS(f, "docker")));
	while (((volatile struct seen *)f.seen)->requests == 0)
		usleep(1000);
	kill(p.pid, SIGKILL);
	assert_int_equal(program_finish(&p), -SIGKILL);
	program_release(&p);
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--keep-running")), 0);
	assert_string_equal(recorded(&f), ID " " STARTED "\n");
	program_release(&p);
	(void)requests(&f);
	assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", OPTIONS(f, "docker"), "--keep-running")), 0);
	assert_string_equal(requests(&f), "GET json POST stop GET json");
	program_release(&p);
	fake_stop(&f);
}

/* Neither a refusal nor a container that ran already make the run a wake's. */
static void what_was_not_started_is_not_written_down(void **state)
{
	START(f, SAY(NO_SUCH), SAY(inspection("exited", 0, STARTED, "")), SAY(NOT_MODIFIED), SAY(running()),
	      SAY(running()), SAY(running()), SAY(NOT_MODIFIED), SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), EXIT_REFUSED);
	assert_string_equal(recorded(&f), "");
	program_release(&p);
	assert_string_equal(requests(&f), "POST start");
	/* It came up between look and request. */
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--keep-running")), 0);
	assert_string_equal(recorded(&f), ID "?" STARTED "\n");
	assert_int_equal(p.stats->flags, STATS_FOUND_RUNNING);
	program_release(&p);
	assert_string_equal(requests(&f), "GET json POST start GET json GET json");
	/* With --keep-running, what runs is seen before anything is written down. */
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--keep-running")), 0);
	assert_string_equal(recorded(&f), ID "?" STARTED "\n");
	program_release(&p);
	assert_string_equal(requests(&f), "GET json POST start GET json GET json");
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

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct program p;

		assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
		assert_int_equal(p.stats->flags, flags[i]);
		program_release(&p);
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
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	assert_string_equal(requests(&f), "POST start POST unpause GET json GET json");
	/* With --idle-action pause it is the first thing to try. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(g, "podman"), "--idle-action", "pause")), 0);
	assert_string_equal(requests(&g), "POST unpause GET json GET json POST unpause POST start GET json GET json");
	assert_non_null(strstr(g.seen->text, "POST /v4.0.0/libpod/containers/x/unpause HTTP/1.1"));
	fake_stop(&f);
	fake_stop(&g);
}

/* It has ended, and its restart policy starts it again in a moment. */
static void one_that_comes_back_is_waited_for(void **state)
{
	const char *ended =
		reply("200", "{\"Id\":\"" ID "\",\"Name\":\"/x\",\"State\":{\"Status\":\"exited\",\"Pid\":0,"
			     "\"ExitCode\":1,\"StartedAt\":\"" STARTED "\"},\"HostConfig\":{\"NetworkMode\":\"none\","
			     "\"RestartPolicy\":{\"Name\":\"always\"}},\"Config\":{}}");
	START(f, SAY(NO_CONTENT), SAY(ended), SAY(ended), SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	assert_string_equal(requests(&f), "POST start GET json GET json GET json GET json");
	program_release(&p);
	fake_stop(&f);
}

static void a_restart_in_between_is_noticed(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(inspection("running", container_process(), "2027", "")),
	      SAY(inspection("restarting", 0, STARTED, "")), SAY(inspection("running", 1, STARTED, "")), SAY(running()),
	      SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	/* It is not started a second time, and the host's first process is not the container's. */
	assert_string_equal(requests(&f), "POST start GET json GET json GET json GET json GET json GET json");
	fake_stop(&f);
}

/* It was being removed when it was asked to start, or started, and is another one by the time that it is looked at; or it is
 * removed while it is looked at. */
static void a_replacement_in_between_is_noticed(void **state)
{
	START(f, SAY(PODMAN_IMPROPER), SAY(PODMAN_IMPROPER), SAY(inspection("created", 0, STARTED, "")), /* */
	      SAY(NO_CONTENT), SAY(running()), SAY(running()),						 /* */
	      SAY(NO_CONTENT), SAY(inspection("created", 0, STARTED, "")),				 /* */
	      SAY(NO_CONTENT), SAY(running()), SAY(running()),						 /* */
	      SAY(NO_CONTENT), SAY(running()), SAY(NO_SUCH), SAY(NO_SUCH),				 /* */
	      SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "podman"))), 0);
	assert_string_equal(requests(&f), "POST start POST unpause GET json POST start GET json GET json");
	program_release(&p);
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "podman"))), 0);
	assert_string_equal(requests(&f), "POST start GET json POST start GET json GET json");
	program_release(&p);
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "podman"), "--recent", "5s")), 0);
	assert_string_equal(requests(&f), "POST start GET json GET json GET json POST start GET json GET json");
	program_release(&p);
	fake_stop(&f);
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
	      SAY(inspection("running", zombie, STARTED, "")), SAY(inspection("exited", 0, STARTED, "")));

	assert_refused(ARGUMENTS(OPTIONS(f, "docker")), "ended with status 7");
	assert_string_equal(requests(&f), "POST start GET json GET json GET json");
	assert_int_equal(waitpid(zombie, NULL, 0), zombie);
	fake_stop(&f);
}

#define OLD "11111111111111111111111111111111111111111111111111111111deadbeef"

/* OLD, which has got another name, and runs since `msec` from now on. */
static const char *renamed(const char *status, int msec)
{
	uint64_t at = wall_usec() + (uint64_t)(msec * 1000);
	time_t second = (time_t)(at / USEC_PER_SEC);
	char body[1024], date[32];
	struct tm tm;

	strftime(date, sizeof(date), "%FT%T", gmtime_r(&second, &tm));
	snprintf(body, sizeof(body),
		 "{\"Id\":\"" OLD "\",\"Name\":\"/xold\",\"State\":{\"Status\":\"%s\",\"Pid\":%d,\"ExitCode\":0,"
		 "\"StartedAt\":\"%s.%06uZ\"},\"HostConfig\":{\"NetworkMode\":\"none\"},\"Config\":{}}",
		 status, getpid(), date, (unsigned)(at % USEC_PER_SEC));
	return reply("200", body);
}

/* An updater renames the container while it is started, and makes another of its name: nobody else would stop the old one. */
static void one_that_was_renamed_while_it_started(void **state)
{
	const struct {
		const char *known, *asked; /* identifier in the lock; requests about the old one */
		int started;		   /* the old one, milliseconds after the wake began */
		bool in_use;
	} rows[] = {
		{OLD, "GET json POST stop", 100, false},
		{OLD, "GET json", 100, true},
		{OLD, "GET json", -5000, false}, /* before, by somebody else */
		{OLD, "GET json", 60000, false}, /* since */
		{ID, "", 100, false},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		START(f, SAY_LATE(NO_CONTENT, 300), SAY(running()), SAY(running()),
		      SAY(renamed("running", rows[k].started)), SAY(NO_CONTENT));
		struct options o = {.name = "t", .container = "x", .backend = BACKEND_DOCKER};
		_cleanup_close_ int fd = -1, user = -1;
		char lock[PATH_MAX], expected[128];
		struct program p;
		struct error err;

		assert_int_equal(lock_path(&o, f.socket, lock, &err), 0);
		fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		lock_record_asleep(fd, rows[k].known);
		snprintf(lock, sizeof(lock), "%s/" OLD ".lock", directory);
		if (rows[k].in_use)
			assert_int_equal(lock_shared(lock, now_usec() + USEC_PER_SEC, &user, &err), 0);
		assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
		snprintf(expected, sizeof(expected), "POST start GET json GET json%s%s", rows[k].asked[0] ? " " : "",
			 rows[k].asked);
		assert_string_equal(requests(&f), expected);
		assert_int_equal(strstr(f.seen->text, "POST /containers/" OLD "/stop") != NULL, k == 0);
		program_release(&p);
		fake_stop(&f);
	}
}

/* It runs on, for which the log has a reason. */
static void one_that_was_renamed_and_cannot_be_looked_at(void **state)
{
	START(f, SAY_LATE(NO_CONTENT, 300), SAY(running()), SAY(running()));
	struct options o = {.name = "t", .container = "x", .backend = BACKEND_DOCKER};
	_cleanup_close_ int fd = -1;
	char lock[PATH_MAX];
	struct program p;
	struct error err;

	(void)state;
	assert_int_equal(lock_path(&o, f.socket, lock, &err), 0);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	lock_record_asleep(fd, OLD);
	program_start_kept(&p, ARGUMENTS(OPTIONS(f, "docker")));
	while (f.seen->requests == 0)
		usleep(1000);
	assert_int_equal(unlink(f.socket), 0);
	assert_int_equal(program_finish(&p), 0);
	assert_non_null(strstr(
		p.text,
		"the container 'x', which was renamed while it was started, may run on: Docker does not answer"));
	program_release(&p);
	fake_stop(&f);
}

/* The new one comes a moment later: the client waits for it. One that was removed is missed at once. */
static void a_name_that_nobody_has_for_a_moment(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(NO_SUCH), SAY(NO_SUCH), SAY(running()), SAY(NO_SUCH),
	      SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(renamed("exited", 0)), /* */
	      SAY(NO_CONTENT), SAY(running()), SAY(NO_SUCH), SAY(NO_SUCH), SAY(NO_SUCH), SAY(NO_SUCH));
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	assert_string_equal(p.failed, "");
	assert_string_equal(
		requests(&f),
		"POST start GET json GET json GET json GET json POST start POST start GET json GET json GET json");
	program_release(&p);
	assert_refused(ARGUMENTS(OPTIONS(f, "docker")), "Docker has no container 'x'");
	fake_stop(&f);
}

static void by_hand_a_wake_just_wakes(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--wake", OPTIONS(f, "docker"))), 0);
	assert_string_equal(p.text, "");
	assert_string_equal(requests(&f), "POST start GET json GET json");
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

/* What the lock says of a wake that dies while it waits for the engine's description of the run. */
static void what_is_written_down_by_then(void **state)
{
	static const struct {
		const char *found; /* its state before, asked for with --keep-running; NULL: without */
		bool starts;
		const char *recorded;
	} cases[] = {
		{NULL, true, RUN_STARTED}, {NULL, false, ""},	   {"exited", true, RUN_STARTED},
		{"exited", false, ""},	   {"running", false, ""}, {"running", true, ""}, /* somebody else's run */
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		const char *found = cases[k].found, *start = cases[k].starts ? NO_CONTENT : NOT_MODIFIED;
		const struct exchange stalls = SAY_THEN(NULL, STALL), starts = SAY(start);
		const struct exchange asked = SAY(found ? inspection(found, container_process(), STARTED, "") : start);
		START(f, asked, found ? starts : stalls, stalls);
		struct program p;

		if (found)
			program_start_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--keep-running"));
		else
			program_start_kept(&p, ARGUMENTS(OPTIONS(f, "docker")));
		while (((volatile struct seen *)f.seen)->requests < (found ? 3 : 2))
			usleep(1000);
		assert_string_equal(recorded(&f), cases[k].recorded);
		kill(p.pid, SIGKILL);
		assert_int_equal(program_finish(&p), -SIGKILL);
		program_release(&p);
		fake_stop(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_down_by_then, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wake_hands_over, setup, teardown),
		cmocka_unit_test_setup_teardown(the_debug_level_tells_each_step, setup, teardown),
		cmocka_unit_test_setup_teardown(what_takes_long_is_told_in_advance, setup, teardown),
		cmocka_unit_test_setup_teardown(a_late_start_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_signal_during_a_start_waits_for_the_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(a_start_is_written_down_before_it_is_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_killed_wake_has_started_is_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_not_started_is_not_written_down, setup, teardown),
		cmocka_unit_test_setup_teardown(found_running_is_told_from_started_by_an_earlier_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(a_paused_container_is_unpaused, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_comes_back_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_that_nobody_has_for_a_moment, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_was_renamed_while_it_started, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_was_renamed_and_cannot_be_looked_at, setup, teardown),
		cmocka_unit_test_setup_teardown(a_restart_in_between_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_replacement_in_between_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(an_end_is_noticed_before_the_engine_knows, setup, teardown),
		cmocka_unit_test_setup_teardown(by_hand_a_wake_just_wakes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_notification_that_nobody_sees_is_no_failure, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
