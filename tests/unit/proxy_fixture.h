/* Runs the built proxy as systemd would, and reads its output. For the proxy's own tests. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "handover/listen.h"
#include "handover/stats.h"
#include "tests/unit/fault_fixture.h"
#include "tests/unit/notify_fixture.h"

#define PROXY_ARGS_MAX	  24
#define PROXY_SOCKETS_MAX 4
#define PATIENCE_MSEC	  20000 /* how long a test waits at most for an event that must come */

struct proxy_run {
	/* Set before proxy_start(): */
	int sockets[PROXY_SOCKETS_MAX]; /* passed on in this order */
	size_t n_sockets;
	char *args[PROXY_ARGS_MAX]; /* proxy_arg() */
	size_t n_args;
	const char *environment[4]; /* "NAME=VALUE" */
	int inherited;		    /* another descriptor, at 50; -1: none */
	int inherited_too;	    /* and at 49 */
	rlim_t descriptors;	    /* RLIMIT_NOFILE; 0: unchanged */
	bool is_left_alone;	    /* it does not die with its parent */
	uint64_t flags;		    /* of the statistics */
	/* Set by it: */
	pid_t pid;
	int notify;	     /* where READY=1 arrives */
	struct stats *stats; /* shared with the proxy */
	char status[1024];   /* the last message on the notification socket */
};

static inline int wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, PATIENCE_MSEC);
}

static inline struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline uint16_t port_of(int fd)
{
	struct sockaddr_in a = {0};
	socklen_t len = sizeof(a);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

/* A socket on a free port of 127.0.0.1; a stream socket listens. */
static inline int bound(int type)
{
	struct sockaddr_in a = loopback(0);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 4096), 0);
	return fd;
}

static inline int connect_to(int type, uint16_t port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static inline int accept_from(int listener)
{
	int fd;

	assert_int_equal(wait_readable(listener), 1);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline void proxy_arg(struct proxy_run *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void proxy_arg(struct proxy_run *p, const char *format, ...)
{
	va_list ap;

	assert_true(p->n_args < PROXY_ARGS_MAX);
	va_start(ap, format);
	assert_true(vasprintf(&p->args[p->n_args++], format, ap) >= 0);
	va_end(ap);
}

/* The common case: forwards a new port to this one. Returns the new port. */
static inline uint16_t proxy_forward(struct proxy_run *p, int type, uint16_t target)
{
	int fd = bound(type);

	p->sockets[p->n_sockets++] = fd;
	proxy_arg(p, "--forward");
	proxy_arg(p, "127.0.0.1:%u:%u%s", port_of(fd), target, type == SOCK_DGRAM ? "/udp" : "");
	return port_of(fd);
}

static inline void proxy_init(struct proxy_run *p)
{
	*p = (struct proxy_run){.inherited = -1, .inherited_too = -1};
	proxy_arg(p, "proxy");
	proxy_arg(p, "--target");
	proxy_arg(p, "127.0.0.1");
}

/* Set up with so many workers, in front of a server, whose socket is returned; *ret_port is where it listens for clients. */
static inline int proxy_before_server(struct proxy_run *p, const char *workers, const char *idle, uint16_t *ret_port)
{
	int server = bound(SOCK_STREAM);

	proxy_init(p);
	*ret_port = proxy_forward(p, SOCK_STREAM, port_of(server));
	proxy_arg(p, "--workers");
	proxy_arg(p, "%s", workers);
	proxy_arg(p, "--idle-timeout");
	proxy_arg(p, "%s", idle);
	return server;
}

static inline void proxy_exec(struct proxy_run *p, const char *notify, int stats)
{
	char path[512], text[32];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int high[PROXY_SOCKETS_MAX];

	if (!p->is_left_alone)
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* must not outlive a failed test */
	for (size_t i = 0; i < p->n_sockets; i++)
		high[i] = fcntl(p->sockets[i], F_DUPFD, 100);
	if (p->inherited >= 0)
		p->inherited = fcntl(p->inherited, F_DUPFD, 110);
	if (p->inherited_too >= 0)
		p->inherited_too = fcntl(p->inherited_too, F_DUPFD, 110);
	stats = fcntl(stats, F_DUPFD, 120);
	for (size_t i = 0; i < p->n_sockets; i++)
		dup2(high[i], LISTEN_FDS_START + (int)i);
	if (p->inherited >= 0)
		dup2(p->inherited, 50);
	if (p->inherited_too >= 0)
		dup2(p->inherited_too, 49);
	dup2(stats, 51);
	close_range(52, FAULT_FD - 1, 0);
	close_range(FAULT_FD + FAULTS_AT_ONCE, ~0U, 0);
	/* The leak sanitizer needs ptrace(2), which confinement forbids. */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	setenv("SOCKWAKE_STATS_FD", "51", 1);
	setenv("NOTIFY_SOCKET", notify, 1);
	snprintf(text, sizeof(text), "%d", getpid());
	setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof(text), "%zu", p->n_sockets);
	setenv("LISTEN_FDS", text, 1);
	for (size_t i = 0; i < 4 && p->environment[i]; i++)
		putenv(strdup(p->environment[i]));
	if (p->descriptors > 0) {
		struct rlimit limit = {.rlim_cur = p->descriptors, .rlim_max = p->descriptors};

		setrlimit(RLIMIT_NOFILE, &limit);
	}
	path[n > 0 ? n : 0] = '\0';
	*strrchr(path, '/') = '\0';
	strcpy(strrchr(path, '/'), "/proxy"); /* BUILD/tests/x_test -> BUILD/proxy */
	(void)execveat(open(path, O_PATH | O_CLOEXEC), "", p->args, environ, AT_EMPTY_PATH); /* like the keeper */
	_exit(127);
}

/* Starts the proxy without waiting for READY. */
static inline void proxy_spawn(struct proxy_run *p)
{
	int stats = memfd_create("stats", MFD_CLOEXEC);
	char name[NOTIFY_NAME_MAX];
	struct error err;

	p->args[p->n_args] = NULL;
	p->notify = notify_bind(0, name);
	p->stats = stats_map(stats, 1, &err);
	assert_non_null(p->stats);
	p->stats->flags = p->flags;
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0)
		proxy_exec(p, name, stats);
	close(stats);
}

static inline void send_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Expects exactly this text next. */
static inline void expect_text(int fd, const char *text)
{
	char buffer[512];
	size_t len = strlen(text), at = 0;

	while (at < len) {
		ssize_t n;

		if (wait_readable(fd) != 1)
			fail_msg("'%s' did not come", text + at);
		n = recv(fd, buffer + at, len - at, 0);
		assert_true(n > 0);
		at += (size_t)n;
	}
	assert_memory_equal(buffer, text, len);
}

/* The result of the next recv(): 0 is a FIN, ECONNRESET a reset. */
static inline int next_end(int fd)
{
	char byte;
	ssize_t n;

	if (wait_readable(fd) != 1)
		fail_msg("neither data nor an end came");
	n = recv(fd, &byte, 1, 0);
	assert_true(n <= 0);
	return n < 0 ? errno : 0;
}

static inline void reset_and_close(int fd)
{
	static const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(fd);
}

/* Waits until this counter of the statistics has this value. */
static inline void wait_counter(const uint64_t *counter, uint64_t value)
{
	uint64_t deadline = now_usec() + PATIENCE_MSEC * USEC_PER_MSEC;

	while (__atomic_load_n(counter, __ATOMIC_RELAXED) != value) {
		if (now_usec() > deadline)
			fail_msg("a counter is %llu and not %llu", (unsigned long long)*counter,
				 (unsigned long long)value);
		usleep(1000);
	}
}

/* Reads messages until one contains the text. */
static inline void proxy_expect_status(struct proxy_run *p, const char *text)
{
	do {
		ssize_t n;

		if (wait_readable(p->notify) != 1)
			fail_msg("no '%s'; the last message was '%s'", text, p->status);
		n = recv(p->notify, p->status, sizeof(p->status) - 1, 0);
		assert_true(n > 0);
		p->status[n] = '\0';
	} while (!strstr(p->status, text));
}

static inline void proxy_start(struct proxy_run *p)
{
	proxy_spawn(p);
	proxy_expect_status(p, "READY=1");
}

/* The proxy's exit status; 128 + the signal that ended it. */
static inline int proxy_wait(struct proxy_run *p)
{
	uint64_t deadline = now_usec() + PATIENCE_MSEC * USEC_PER_MSEC;
	int status;

	while (waitpid(p->pid, &status, WNOHANG) == 0) {
		if (now_usec() > deadline) {
			kill(p->pid, SIGKILL);
			waitpid(p->pid, &status, 0);
			fail_msg("the proxy did not end");
		}
		usleep(2000);
	}
	for (size_t i = 0; i < p->n_args; i++)
		free(p->args[i]);
	for (size_t i = 0; i < p->n_sockets; i++)
		close(p->sockets[i]);
	close(p->notify);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int proxy_stop(struct proxy_run *p)
{
	kill(p->pid, SIGTERM);
	return proxy_wait(p);
}
