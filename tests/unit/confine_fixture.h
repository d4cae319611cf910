/* A process that confines itself (confine/confine.h), attacked from inside: as an unprivileged user of the host (system
 * scope), in a user namespace without capabilities (user scope), and where no further user namespace is allowed. Needs
 * root to set these up. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/confine.h"

#define NOBODY 65534

/* For the child: cmocka's assertions would return into the parent's test. Only write(2) works everywhere. */
static inline void fail_child(const char *file, int line, const char *what)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "%s:%d: not true: %s (errno %d)\n", file, line, what, errno);

	_exit(write(STDERR_FILENO, text, (size_t)n) == n ? 1 : 2);
}
#define CHECK(x)	     ((x) ? (void)0 : fail_child(__FILE__, __LINE__, #x))
#define CHECK_FAILS(code, x) CHECK((long)(x) == -1 && errno == (code))

enum mode {
	SYSTEM_SCOPE, /* an unprivileged user of the host */
	USER_SCOPE,   /* in a container's user and network namespace, without capabilities */
	NO_USERNS,    /* likewise, and new user namespaces are forbidden */
	MODES,
};

static inline void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
	close(fd);
}

static inline void give_up_capabilities(uint32_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{.effective = kept, .permitted = kept}};

	CHECK(syscall(SYS_capset, &header, data) == 0);
}

static inline void become_nobody(void)
{
	CHECK(setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	      setresuid(NOBODY, NOBODY, NOBODY) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* as after an exec */
}

static inline void enter(enum mode mode)
{
	become_nobody();
	if (mode == SYSTEM_SCOPE)
		return;
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
	write_text("/proc/self/setgroups", "deny");
	write_text("/proc/self/uid_map", "0 65534 1");
	write_text("/proc/self/gid_map", "0 65534 1");
	loopback_up();
	if (mode == NO_USERNS)
		write_text("/proc/sys/user/max_user_namespaces", "0");
	give_up_capabilities(0);
}

static inline void confined(const struct confinement *c)
{
	struct error err;
	unsigned missing;

	if (confine(c, &missing, &err) < 0) {
		fail_child(__FILE__, __LINE__, err.text);
	}
}

/* Runs body in a child in each of the modes; the child must exit with 0, or die of SIGSYS. */
static inline void in_modes(void (*body)(void), enum mode first, enum mode last, int expected_signal)
{
	for (enum mode mode = first; mode <= last; mode++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0) {
			enter(mode);
			body();
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (expected_signal)
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == expected_signal);
		else
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

static inline void survives(void (*body)(void))
{
	in_modes(body, SYSTEM_SCOPE, MODES - 1, 0);
}

static inline void is_killed(void (*body)(void))
{
	in_modes(body, SYSTEM_SCOPE, MODES - 1, SIGSYS);
}

/* A listener on the loopback; its port in host byte order. */
static inline int listener(uint16_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 8) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static inline int connect_to(int fd, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};

	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static inline int tcp_state(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
	return info.tcpi_state;
}
