/* Stops programs of a test build at their fault points (common/fault.h), whichever process and thread reaches them.
 *
 *	struct fault f = fault_at("idle:ends");		before the program starts
 *	fault_await(&f);				it stands there: now provoke the race
 *	fault_go_on(&f);				it goes on, and will stand there the next time
 *	fault_pass(&f);					it goes on, and so does everybody who comes later
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

/* Descriptor numbers that the fixtures leave open in the programs that they run. */
#define FAULT_FD	    63
#define FAULTS_AT_ONCE	    4 /* FAULT_SOCKETS_MAX, which other builds lack */
#define FAULT_PATIENCE_MSEC 20000

struct fault {
	const char *point;
	int fd;
	pid_t pid, tid; /* the process and thread stopped there */
};

static int fault_sockets_open[FAULTS_AT_ONCE];
static size_t fault_count;

static inline struct fault fault_at(const char *point)
{
	struct fault f = {.point = point};
	char list[256];
	const char *before = getenv("SOCKWAKE_FAULTS");
	int ends[2], number = FAULT_FD + (int)fault_count;

	assert_true(fault_count < FAULTS_AT_ONCE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(dup2(ends[1], number), number);
	close(ends[1]);
	snprintf(list, sizeof(list), "%s%s%s=%d", before ? before : "", before ? "," : "", point, number);
	setenv("SOCKWAKE_FAULTS", list, 1);
	f.fd = fault_sockets_open[fault_count++] = ends[0];
	return f;
}

static inline void fault_await(struct fault *f)
{
	char who[32] = "";

	if (poll(&(struct pollfd){.fd = f->fd, .events = POLLIN}, 1, FAULT_PATIENCE_MSEC) != 1)
		fail_msg("nobody comes to '%s'", f->point);
	assert_true(recv(f->fd, who, sizeof(who) - 1, 0) > 0);
	assert_int_equal(sscanf(who, "%d %d", &f->pid, &f->tid), 2);
}

static inline void fault_go_on(const struct fault *f)
{
	assert_int_equal(send(f->fd, "", 1, MSG_NOSIGNAL), 1);
}

/* Closing the socket would not suffice: child processes have copies of it. */
static inline void fault_pass(const struct fault *f)
{
	(void)shutdown(f->fd, SHUT_RDWR);
}

/* The teardown of each test: even after a failure, no thread is stopped any more. */
static inline int faults_clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < fault_count; i++) {
		(void)shutdown(fault_sockets_open[i], SHUT_RDWR);
		close(fault_sockets_open[i]);
		close(FAULT_FD + (int)i);
	}
	fault_count = 0;
	return unsetenv("SOCKWAKE_FAULTS");
}
