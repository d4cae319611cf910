/* Shared by the tests of nshelper: processes that stand for containers, in real namespaces, and nshelper itself in a
 * child. Problems here fail the test and never skip it; root is needed. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "nshelper/run.h"

#define ORDINARY_UID 61234 /* in no passwd database */

/* For children, where cmocka's assertions would continue in the parent's tests. */
static inline void must(int ok, const char *what)
{
	if (!ok) {
		dprintf(STDERR_FILENO, "in a child: %s failed: %s\n", what, strerror(errno));
		_exit(98);
	}
}
#define MUST(expression) must((expression) ? 1 : 0, #expression)

static inline void write_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	MUST(fd >= 0);
	MUST(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* After a change of user, a process is not dumpable and root owns its /proc, until it executes a program. The programs
 * that these children stand for were executed. */
static inline void become_ordinary(uid_t uid)
{
	if (uid == 0)
		return;
	MUST(setgid(uid) == 0);
	MUST(setuid(uid) == 0);
	MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

static inline void bring_loopback_up(void)
{
	struct ifreq r = {.ifr_name = "lo"};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	MUST(ioctl(fd, SIOCGIFFLAGS, &r) == 0);
	r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
	MUST(ioctl(fd, SIOCSIFFLAGS, &r) == 0);
}

/* For a new user namespace: as with a rootless engine, root inside is the user outside. */
static inline void map_root(uid_t uid)
{
	char map[32];

	MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	write_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_text("/proc/self/uid_map", map);
	write_text("/proc/self/gid_map", map);
}

/* The last step of a container's child: it is complete, and lives until it is killed or the test program ends, even by
 * a failure, which runs no cleanup. (Changes of the user clear this signal, so this comes last.) */
static inline void live_on(int ready)
{
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
	MUST(write(ready, "r", 1) == 1);
	for (;;)
		pause();
}

/* Starts a "container" of this user in new namespaces (CLONE_NEWNET, CLONE_NEWUSER, 0 for the host's network), with its
 * loopback interface up. Returns when it is complete; container_end() ends it. */
static inline pid_t container_start(uid_t uid, int namespaces)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		become_ordinary(uid);
		MUST(unshare(namespaces) == 0);
		if (namespaces & CLONE_NEWUSER)
			map_root(uid);
		if (namespaces & CLONE_NEWNET)
			bring_loopback_up();
		live_on(ready[1]);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

/* Kills it and, unless it must stay a zombie, reaps it. */
static inline void container_kill(pid_t pid, bool reap)
{
	siginfo_t info;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | (reap ? 0 : WNOWAIT)), 0);
}

static inline void container_end(const pid_t *pid)
{
	if (*pid > 0)
		container_kill(*pid, true);
}
#define _cleanup_container_ _cleanup_(container_end)

/* A child's output and exit status. */
struct outcome {
	int status; /* 0x100 + signal if a signal ended it */
	char text[16384];
};

/* Reads until all writers are gone, then reaps the child. */
static inline void collect(pid_t pid, int fd, struct outcome *ret)
{
	size_t len = 0;
	int status;
	ssize_t n;

	while ((n = read(fd, ret->text + len, sizeof(ret->text) - 1 - len)) > 0)
		len += (size_t)n;
	ret->text[len] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0x100 + WTERMSIG(status);
}

/* Starts a child of this user that runs body(data), with standard output and error to *ret_fd. */
static inline pid_t start_child(uid_t uid, void (*body)(void *data), void *data, int *ret_fd)
{
	int out[2];
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		MUST(dup2(out[1], STDOUT_FILENO) >= 0 && dup2(out[1], STDERR_FILENO) >= 0);
		become_ordinary(uid);
		body(data);
		_exit(99);
	}
	close(out[1]);
	*ret_fd = out[0];
	return pid;
}

#define WORDS_MAX 16

/* The arguments of main() for these words. Returns argc. */
static inline int copy_words(const char *const words[], char *ret[static WORDS_MAX])
{
	int argc = 0;

	for (; words[argc]; argc++) {
		MUST(argc < WORDS_MAX - 1);
		ret[argc] = (char *)(uintptr_t)words[argc]; /* as execve(2) passes them; nobody writes to them */
	}
	ret[argc] = NULL;
	return argc;
}

static inline void run_program(void *data)
{
	char *argv[WORDS_MAX];
	int argc = copy_words(data, argv), status = nshelper_run(argc, argv);

	(void)fflush(stdout);
	_exit(status);
}

/* Runs nshelper as this user with these arguments, the first of them argv[1]; NULL ends them. */
#define run_nshelper(uid, ret, ...) run_nshelper_words(uid, ret, (const char *[]){"nshelper", __VA_ARGS__, NULL})

static inline void run_nshelper_words(uid_t uid, struct outcome *ret, const char *words[])
{
	_cleanup_close_ int fd = -1;
	pid_t pid = start_child(uid, run_program, words, &fd);

	collect(pid, fd, ret);
}

static inline char *number(char buffer[static 16], long n)
{
	snprintf(buffer, 16, "%ld", n);
	return buffer;
}

static inline void expect_text(const struct outcome *o, const char *text)
{
	if (!strstr(o->text, text))
		fail_msg("expected \"%s\" in: %s (status %d)", text, o->text, o->status);
}

/* Stops a child, which has called be_traced(), just before the first system call that match() accepts. Fails the caller if
 * there is none. release_traced() lets the child go on. */
static inline void be_traced(void)
{
	MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	MUST(raise(SIGSTOP) == 0);
}

static inline bool trace_until(pid_t pid, bool (*match)(pid_t pid, const struct __ptrace_syscall_info *call))
{
	struct __ptrace_syscall_info call;
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
		return false;
	do {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid ||
		    !WIFSTOPPED(status) || ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(call), &call) < 0)
			return false;
	} while (call.op != PTRACE_SYSCALL_INFO_ENTRY || !match(pid, &call));
	return true;
}

static inline bool release_traced(pid_t pid)
{
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0;
}
