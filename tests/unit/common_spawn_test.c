/* common/spawn.c: what a program that we start has of us. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/spawn.h"

/* Runs a script of sh; its output and, if `errors`, its errors. */
static const char *said(const char *script, char *const *env, bool errors, bool group, pid_t *ret)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	static char text[4096];
	size_t len = 0;
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(spawn(&(struct spawn){.argv = argv,
					       .env = env,
					       .output = errors ? SPAWN_NOWHERE : ends[1],
					       .errors = errors ? ends[1] : SPAWN_NOWHERE,
					       .group = group},
			       &pid),
			 0);
	close(ends[1]);
	while ((n = read(ends[0], text + len, sizeof(text) - len - 1)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	if (ret)
		*ret = pid;
	return text;
}

static void where_output_and_errors_go(void **state)
{
	(void)state;
	assert_string_equal(said("cat; echo out; echo err >&2", NULL, false, false, NULL), "out\n");
	assert_string_equal(said("cat; echo out; echo err >&2", NULL, true, false, NULL), "err\n");
}

static void no_other_descriptors(void **state)
{
	int fd = open("/dev/null", O_RDONLY); /* inherited, unless somebody closes it */
	char script[64];

	(void)state;
	assert_true(fd >= 0);
	snprintf(script, sizeof(script), "test -e /proc/$$/fd/%d && echo open; readlink /proc/$$/fd/0", fd);
	assert_string_equal(said(script, NULL, false, false, NULL), "/dev/null\n");
	close(fd);
}

static void signals_as_by_default(void **state)
{
	unsigned long long blocked, ignored;
	sigset_t set, before;
	const char *text;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	signal(SIGXFSZ, SIG_IGN);
	text = said("exec grep -E '^Sig(Blk|Ign)' /proc/self/status", NULL, false, false, NULL);
	assert_int_equal(sscanf(text, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	assert_int_equal(blocked, 0);
	assert_int_equal(ignored >> (SIGXFSZ - 1) & 1, 0);
	signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void its_environment(void **state)
{
	char path[] = "PATH=/usr/bin:/bin", given[] = "GIVEN=1";
	char *env[] = {path, given, NULL};

	(void)state;
	setenv("OURS", "2", 1);
	assert_string_equal(said("echo $GIVEN,$OURS", NULL, false, false, NULL), ",2\n");
	assert_string_equal(said("echo $GIVEN,$OURS", env, false, false, NULL), "1,\n");
	unsetenv("OURS");
}

static void a_group_of_its_own(void **state)
{
	static const char script[] = "set -- $(cat /proc/$$/stat); echo $5"; /* proc_pid_stat(5): pgrp */
	const char *text;
	pid_t pid;

	(void)state;
	text = said(script, NULL, false, true, &pid);
	assert_int_equal(atoi(text), pid);
	assert_int_equal(atoi(said(script, NULL, false, false, NULL)), getpgrp());
}

static void what_cannot_be_started(void **state)
{
	const char *argv[] = {"/no/such/program", NULL};
	pid_t pid;

	(void)state;
	assert_int_equal(spawn(&(struct spawn){.argv = argv, .output = SPAWN_NOWHERE, .errors = SPAWN_NOWHERE}, &pid),
			 ENOENT);
	argv[0] = "true";
	assert_int_equal(spawn(&(struct spawn){.argv = argv, .output = 999, .errors = SPAWN_NOWHERE}, &pid), EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_output_and_errors_go), cmocka_unit_test(no_other_descriptors),
		cmocka_unit_test(signals_as_by_default),      cmocka_unit_test(its_environment),
		cmocka_unit_test(a_group_of_its_own),	      cmocka_unit_test(what_cannot_be_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
