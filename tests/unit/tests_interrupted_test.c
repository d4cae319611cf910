/* Runners of tests that are interrupted leave no file, no process and no mount: whatever the tests had begun. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"

#define BEGUN	   9 /* the descriptor on which tests/unit/litter says so */
#define LIMIT_USEC (20 * USEC_PER_SEC)

static const int all_signals[] = {SIGHUP, SIGINT, SIGTERM, SIGKILL};

/* The names in a directory, one a line, sorted; of /proc only processes. */
static char *names_in(const char *directory, bool processes)
{
	struct dirent **entries;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int n = scandir(directory, &entries, NULL, alphasort);

	assert_true(f && n >= 0);
	for (int k = 0; k < n; k++) {
		if (!processes || strspn(entries[k]->d_name, "0123456789") == strlen(entries[k]->d_name))
			fprintf(f, "%s/%s\n", directory, entries[k]->d_name);
		free(entries[k]);
	}
	free(entries);
	assert_int_equal(fclose(f), 0);
	return text;
}

static char *what_there_is(void)
{
	_cleanup_free_ char *tmp = names_in("/tmp", false), *var = names_in("/var/tmp", false);
	_cleanup_free_ char *processes = names_in("/proc", true), *mounts = NULL;
	struct error err;
	char *text;

	if (file_read(AT_FDCWD, "/proc/self/mountinfo", 1U << 20, &mounts, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(asprintf(&text, "%s%s%s%s", tmp, var, processes, mounts) > 0);
	return text;
}

static pid_t start(char *const argv[], int begun)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		/* as make starts one, not as a test in the background of a shell or a part of another run */
		for (size_t k = 0; k < sizeof(all_signals) / sizeof(*all_signals); k++)
			(void)signal(all_signals[k], SIG_DFL);
		(void)unsetenv("SOCKWAKE_ALONE");
		(void)unsetenv("MAKEFLAGS");
		(void)unsetenv("MFLAGS");
		(void)setsid();
		if (dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2 && dup2(begun, BEGUN) == BEGUN)
			execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static void await_end(pid_t pid)
{
	uint64_t deadline = now_usec() + LIMIT_USEC;

	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (now_usec() > deadline) {
			(void)kill(-pid, SIGKILL);
			fail_msg("the runner did not end");
		}
		usleep(10000);
	}
}

static void await_the_same(const char *before)
{
	uint64_t deadline = now_usec() + LIMIT_USEC;

	for (;;) {
		_cleanup_free_ char *now = what_there_is();

		if (strcmp(now, before) == 0)
			return;
		if (now_usec() > deadline)
			fail_msg("before:\n%s\nafterwards:\n%s", before, now);
		usleep(10000);
	}
}

static void interrupt(char *const argv[], int signal_number)
{
	_cleanup_free_ char *before = what_there_is();
	int begun[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(begun, O_CLOEXEC), 0);
	pid = start(argv, begun[1]);
	close(begun[1]);
	assert_int_equal(read(begun[0], &byte, 1), 1);
	assert_int_equal(kill(pid, signal_number), 0);
	await_end(pid);
	await_the_same(before);
	close(begun[0]);
}

static void interrupt_by_all(char *const argv[])
{
	for (size_t k = 0; k < sizeof(all_signals) / sizeof(*all_signals); k++)
		interrupt(argv, all_signals[k]);
}

static void unit_tests(void **state)
{
	(void)state;
	interrupt_by_all((char *[]){(char[]){"tests/unit/run"}, (char[]){"tests/unit/litter"}, NULL});
}

static void fuzzing(void **state)
{
	(void)state;
	interrupt_by_all((char *[]){(char[]){"tests/fuzz/run"}, (char[]){"1"}, (char[]){"tests/unit/litter"}, NULL});
}

static void all_suites(void **state)
{
	(void)state;
	interrupt_by_all((char *[]){(char[]){"tests/check"}, (char[]){"-f tests/unit/litter.mk litter"}, NULL});
}

static void write_script(const char *path, const char *text)
{
	struct error err;

	if (file_write_atomic(path, text, strlen(text), 0755, &err) < 0)
		fail_msg("%s", err.text);
}

/* A stand-in for the lab, which tells what it was asked for. */
#define LAB                                                                                                            \
	"#!/bin/sh\necho \"$*\" >>\"${0%/*}/asked\"\n"                                                                 \
	"[ \"$1\" = exec ] || exit 0\ntrap '' HUP INT\necho begun >&9\n"                                               \
	"while kill -0 $PPID; do sleep 0.1; done\n"

static void integration_tests(void **state)
{
	char directory[] = "/tmp/integration-XXXXXX", path[128], owner[64];
	struct error err;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/lab", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t k = 0; k < sizeof(all_signals) / sizeof(*all_signals); k++) {
		_cleanup_free_ char *script = NULL, *asked = NULL;
		bool killed = all_signals[k] == SIGKILL;
		int begun[2];
		char byte;
		pid_t pid;

		assert_int_equal(pipe2(begun, O_CLOEXEC), 0);
		snprintf(path, sizeof(path), "%s/lab/asked", directory);
		(void)unlink(path);
		snprintf(path, sizeof(path), "%s/lab/lab", directory);
		write_script(path, LAB);
		assert_int_equal(file_read(AT_FDCWD, "tests/integration/run", 1U << 20, &script, NULL, &err), 0);
		snprintf(path, sizeof(path), "%s/run", directory);
		write_script(path, script);
		pid = start((char *[]){path, (char[]){"--one-by-one"}, (char[]){"trixie"}, NULL}, begun[1]);
		assert_int_equal(read(begun[0], &byte, 1), 1);
		assert_int_equal(kill(pid, all_signals[k]), 0);
		await_end(pid);
		close(begun[0]);
		close(begun[1]);
		snprintf(path, sizeof(path), "%s/lab/asked", directory);
		assert_int_equal(file_read(AT_FDCWD, path, 1U << 20, &asked, NULL, &err), 0);
		/* The lab itself sees to what a runner that was killed cannot. */
		snprintf(owner, sizeof(owner), "up trixie --name run-trixie --owner %d\n", pid);
		assert_non_null(strstr(asked, owner));
		if (!killed)
			assert_string_equal(strrchr(strndupa(asked, strlen(asked) - 1), '\n') + 1,
					    "down --name run-trixie");
	}
	snprintf(path, sizeof(path), "rm -r %s", directory);
	assert_int_equal(system(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unit_tests),
		cmocka_unit_test(fuzzing),
		cmocka_unit_test(all_suites),
		cmocka_unit_test(integration_tests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
