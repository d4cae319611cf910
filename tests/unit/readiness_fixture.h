/* Small servers in a network namespace of the test's own (needs root), so that ports are free and nobody else answers. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "dial/patience.h"
#include "dial/sock_diag.h"
#include "readiness/readiness.h"

#define PORT   5432
#define SECOND USEC_PER_SEC

static inline int own_network(void **state)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	_cleanup_close_ int fd = -1;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return ioctl(fd, SIOCSIFFLAGS, &request);
}

static inline struct target ipv4(const char *address)
{
	struct target t = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *sin = (struct sockaddr_in *)&t.addr;

	sin->sin_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, address, &sin->sin_addr), 1);
	return t;
}

static inline struct target ipv6(const char *address)
{
	struct target t = {.len = sizeof(struct sockaddr_in6)};
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&t.addr;

	sin6->sin6_family = AF_INET6;
	assert_int_equal(inet_pton(AF_INET6, address, &sin6->sin6_addr), 1);
	return t;
}

static inline int bound(int type, struct target t)
{
	int fd = socket(t.addr.ss_family, type | SOCK_CLOEXEC, 0), on = 1;

	t = target_with_port(&t, PORT);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&t.addr, t.len), 0);
	return fd;
}

/* The check of this kind on 127.0.0.1, for at most `patience` microseconds. */
static inline int wait_for(const char *kind, int type, uint64_t patience, int pidfd, struct error *err)
{
	struct target targets[] = {ipv4("127.0.0.1"), ipv6("::1")};
	struct readiness r;

	assert_int_equal(readiness_parse(kind, &r, err), 0);
	return readiness_wait(&r, type, PORT, targets, 2, now_usec() + patience, pidfd, err);
}

/* A server in a process of its own, on a socket that is bound but does not listen yet. */
static inline pid_t serve(void (*body)(int fd))
{
	int fd = bound(SOCK_STREAM, ipv4("127.0.0.1"));
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			body(fd);
		_exit(0);
	}
	close(fd);
	return pid;
}

static inline void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static inline void expect_ready(const char *kind, void (*body)(int fd))
{
	pid_t pid = serve(body);
	struct error err = {.text = ""};

	int r = wait_for(kind, SOCK_STREAM, 10 * SECOND, -1, &err);

	end(pid);
	if (r < 0)
		fail_msg("%s: %s", kind, err.text);
}

static inline void expect_timeout(const char *kind, void (*body)(int fd), const char *seen)
{
	pid_t pid = serve(body);
	uint64_t began = now_usec(), took;
	struct error err;

	assert_int_equal(wait_for(kind, SOCK_STREAM, SECOND / 5, -1, &err), -1);
	took = now_usec() - began;
	assert_int_equal(err.code, ETIMEDOUT);
	end(pid);
	if (!strstr(err.text, seen))
		fail_msg("%s: '%s' does not tell '%s'", kind, err.text, seen);
	assert_true(took >= SECOND / 5 && took < SECOND);
}

static inline void never_listens(int fd)
{
	(void)fd;
	pause();
}
