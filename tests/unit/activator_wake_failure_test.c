/* Every way in which a wake can fail, and whom it tells: the keeper, or the clients whom it refuses. The engine is a fake, the
 * test is the keeper, sockets and clients are real. */
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "activator/runtime.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "handover/exit.h"
#include "handover/stats.h"
#include "tests/unit/activator_fixture.h"

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
	assert_refused(ARGUMENTS(OPTIONS(f, "docker")), "engines in a virtual machine");
	assert_string_equal(requests(&f), "POST start GET json GET json");
	fake_stop(&f);
	fake_start(&g, absent, 64);
	began = now_usec();
	assert_refused(ARGUMENTS(OPTIONS(g, "docker")), "engines in a virtual machine");
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
		program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--", "/bin/echo", "--health-check", "http")), 0);
	program_release(&p);
	fake_stop(&f);
}

static void every_failure_is_told(void **state)
{
	START(f, SAY(NO_SUCH), SAY(NO_CONTENT), SAY(inspection("exited", 0, STARTED, "")),
	      SAY(reply("500", "{\"message\":\"no runtime!\"}")), SAY_THEN("SSH-2.0-x\r\n", CLOSE), SAY(CONFLICT),
	      SAY(NOT_PAUSED), SAY(inspection("dead", 0, STARTED, "")), SAY(NO_CONTENT), SAY_THEN(NULL, STALL));
	struct fake_engine none = {.socket = "/nonexistent/engine.sock"};

	(void)state;
	assert_refused(ARGUMENTS(OPTIONS(none, "podman")), "podman.socket'");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker")), "has no container 'x'");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker")), "ended with status 7");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker")), "no runtime!");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker")), "makes no sense");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker")), "unpause it instead");
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--startup-timeout", "200ms"), "in time");
	fake_stop(&f);
}

static void the_debug_level_tells_what_fails(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(inspection("restarting", 0, STARTED, "")), SAY_THEN(NULL, STALL));
	struct program p;

	(void)state;
	tell_steps();
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--startup-timeout", "200ms")),
			 EXIT_REFUSED);
	assert_step(&p, "the container 'x' is restarting\n");
	assert_step(&p, "waits: the container 'x' is restarting\n");
	assert_step(&p, "Docker: GET /containers/x/json: no answer after ");
	program_release(&p);
	fake_stop(&f);
}

/* By hand, with sockets: the client is reset, one line tells why. */
static void without_a_keeper_a_failure_refuses_the_queue(void **state)
{
	START(f, SAY(NO_SUCH));
	struct queue q = queue_open();
	struct program p;
	char byte;

	(void)state;
	assert_int_equal(program_run(&p, q.sockets, ARGUMENTS(OPTIONS(f, "docker"))), EXIT_REFUSED);
	assert_non_null(strstr(p.text, "has no container 'x'"));
	assert_ptr_equal(strchr(p.text, '\n'), p.text + strlen(p.text) - 1);
	assert_int_equal(recv(q.client, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	queue_close(&q);
	fake_stop(&f);
}

/* The keeper's deadline counts, not the time-out from now on. */
static void the_deadline_is_the_keepers(void **state)
{
	START(f, SAY(NO_CONTENT), SAY_THEN(NULL, STALL));
	uint64_t begin = now_usec();
	char text[24];

	(void)state;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(begin + 300 * USEC_PER_MSEC));
	setenv("SOCKWAKE_DEADLINE", text, 1);
	assert_refused(ARGUMENTS(OPTIONS(f, "docker"), "--startup-timeout", "1h"), "in time");
	assert_in_range(msec_since(begin), 290, 5000);
	setenv("SOCKWAKE_DEADLINE", "soon", 1);
	assert_refused(ARGUMENTS(OPTIONS(f, "docker")), "SOCKWAKE_DEADLINE");
	unsetenv("SOCKWAKE_DEADLINE");
	fake_stop(&f);
}

static void a_signal_before_the_end_refuses_the_queue(void **state)
{
	START(f, SAY(NO_CONTENT), SAY_THEN(NULL, STALL));
	struct queue q = queue_open();
	struct program p;
	char byte;

	(void)state;
	program_start(&p, q.sockets, ARGUMENTS(OPTIONS(f, "docker")));
	while (((volatile struct seen *)f.seen)->requests < 2)
		usleep(1000);
	kill(p.pid, SIGTERM);
	assert_int_equal(program_finish(&p), EXIT_REFUSED);
	assert_int_equal(recv(q.client, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	queue_close(&q);
	fake_stop(&f);
}

static void without_a_lock_nothing_is_done(void **state)
{
	START(f, SAY(NO_SUCH));
	struct options o = {.name = "t", .container = "x", .backend = BACKEND_DOCKER};
	char path[PATH_MAX];
	struct error err;

	(void)state;
	assert_int_equal(lock_path(&o, f.socket, path, &err), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(ARGUMENTS(OPTIONS(f, "docker")), "cannot open the lock");
	setenv("RUNTIME_DIRECTORY", "not/absolute", 1);
	assert_refused(ARGUMENTS(OPTIONS(f, "docker")), "is not an absolute path");
	assert_string_equal(requests(&f), "");
	fake_stop(&f);
}

static int run_wake(struct fake_engine *f, struct program *p)
{
	return program_run_kept(p, ARGUMENTS(OPTIONS(*f, "docker")));
}

static int run_wake_with(struct fake_engine *f, struct program *p)
{
	return program_run_kept(p, ARGUMENTS(OPTIONS(*f, "docker"), "--with", "pg", "--", "/bin/true"));
}

static int run_unpause(struct fake_engine *f, struct program *p)
{
	return program_run_kept(p, ARGUMENTS(OPTIONS(*f, "docker"), "--idle-action", "pause"));
}

static void an_engine_that_fails_in_the_middle(void **state)
{
	const char *up = running();
	const struct exchange wake[] = {SAY(NO_CONTENT), SAY(up), SAY(up)};
	const struct exchange with[] = {SAY(NO_CONTENT), SAY(up), SAY(up), SAY(NO_CONTENT),
					SAY(up),	 SAY(up), SAY(up)}; /* the last one: volumes */

	(void)state;
	EACH_FAILURE_IS_TOLD(wake, 3, run_wake);
	EACH_FAILURE_IS_TOLD(wake, 3, run_unpause);
	EACH_FAILURE_IS_TOLD(with, 6, run_wake_with);
}

/* The time ends between two requests, or during the second one: then the engine, which has answered before, is not blamed. */
static void expect_container_named(bool stalls)
{
	static struct exchange script[40];
	struct fake_engine f;
	struct program p;

	script[0] = (struct exchange)SAY(NO_CONTENT);
	for (size_t k = 1; k < sizeof(script) / sizeof(*script); k++)
		script[k] = (struct exchange)SAY(inspection("restarting", 0, STARTED, ""));
	if (stalls)
		script[2] = (struct exchange){.after = STALL};
	fake_start(&f, script, sizeof(script) / sizeof(*script));
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--startup-timeout", "200ms")),
			 EXIT_REFUSED);
	assert_non_null(strstr(p.failed, "the container 'x' did not come to run in time (it is restarting)"));
	assert_string_equal(p.awaited, "the container 'x' is restarting");
	assert_int_equal(p.messages, 3); /* this one, STARTING=1 before it, and FAILED= */
	program_release(&p);
	fake_stop(&f);
}

static void the_container_is_named_when_time_is_over(void **state)
{
	(void)state;
	expect_container_named(false);
	expect_container_named(true);
}

static void wrong_usage_is_refused(void **state)
{
	const char *const *const wrong[] = {
		ARGUMENTS("--name", "t", "--container", "x", "--with", "q"),
		ARGUMENTS("--name", "t"),
		ARGUMENTS("--name", "a/b", "--container", "x"),
		ARGUMENTS("--name", "t", "--container", "a/../b"),
		ARGUMENTS("--name", "t", "--container", "x", "--backend", "lxc"),
		ARGUMENTS("--name", "t", "--container", "x", "--startup-timeout", "soon"),
		ARGUMENTS("--name", "t", "--container", "x", "--unit", "x.socket"),
		ARGUMENTS("--name", "t", "--container", "x", "--unit", "x y.service"),
		ARGUMENTS("--name", "t", "--container", "x", "--no-wake-from", "10.0.0.0/8"),
		ARGUMENTS("--name", "t", "--container", "x", "--unknown"),
		ARGUMENTS("--sleep", "--name", "t", "--container", "x", "extra"),
		ARGUMENTS("--sleep", "--name", "t", "--container", "x", "--idle-action", "nap"),
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

/* The keeper is told that nothing was started only where that is certain: else it puts to sleep what may have come up. */
static void what_was_in_vain_is_told(void **state)
{
	const struct {
		struct exchange start;
		unsigned vain;
		int status;
	} cases[] = {
		{SAY(NO_CONTENT), 0, 0},
		{SAY(NOT_MODIFIED), 0, 0},
		{SAY(NO_SUCH), 1, EXIT_REFUSED},
		{SAY(reply("500", "{\"message\":\"hm\"}")), 1, EXIT_REFUSED},
		{SAY_THEN(NULL, CLOSE), 0, EXIT_REFUSED},
		{SAY_THEN("nonsense\r\n\r\n", CLOSE), 0, EXIT_REFUSED},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		START(f, cases[k].start, SAY(running()), SAY(running()));
		struct program p;

		assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), cases[k].status);
		assert_int_equal(p.starting, 1);
		assert_int_equal(p.vain, cases[k].vain);
		program_release(&p);
		fake_stop(&f);
	}
}

/* A paused container: the start was in vain, and so may be what follows. */
static void what_was_in_vain_with_a_paused_one(void **state)
{
	const struct {
		struct exchange unpause;
		unsigned vain;
		int status;
	} cases[] = {
		{SAY(NO_CONTENT), 1, 0},
		{SAY(reply("404", "{\"message\":\"No such container: x\"}")), 2, EXIT_REFUSED},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		START(f, SAY(CONFLICT), cases[k].unpause, SAY(running()), SAY(running()));
		struct program p;

		assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), cases[k].status);
		assert_int_equal(p.starting, 2);
		assert_int_equal(p.vain, cases[k].vain);
		program_release(&p);
		fake_stop(&f);
	}
}

/* No socket has so long a path: whatever is asked of the engine fails. */
static void an_engine_that_cannot_be_opened(void **state)
{
	static const char *const modes[] = {"--wake", "--sleep", "--follow"};
	struct program p;

	(void)state;
	for (size_t k = 0; k < sizeof(modes) / sizeof(*modes); k++) {
		char path[200];

		memset(path, 'x', sizeof(path));
		path[0] = '/';
		path[sizeof(path) - 1] = '\0';
		assert_int_equal(program_run_kept(&p, ARGUMENTS(modes[k], "--name", "t", "--backend", "docker",
								"--container", "x", "--engine-socket", path)),
				 EXIT_REFUSED);
		assert_int_equal(p.woken.n_fds, 0);
		program_release(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_engine_that_cannot_be_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_in_vain_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_in_vain_with_a_paused_one, setup, teardown),
		cmocka_unit_test_setup_teardown(another_machines_process, setup, teardown),
		cmocka_unit_test_setup_teardown(a_command_for_who_sees_the_host, setup, teardown),
		cmocka_unit_test_setup_teardown(the_debug_level_tells_what_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_lock_nothing_is_done, setup, teardown),
		cmocka_unit_test_setup_teardown(an_engine_that_fails_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(every_failure_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_keeper_a_failure_refuses_the_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(the_deadline_is_the_keepers, setup, teardown),
		cmocka_unit_test_setup_teardown(a_signal_before_the_end_refuses_the_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(the_container_is_named_when_time_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_usage_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
