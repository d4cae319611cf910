/* Sockets and clients for tests of the keeper. */
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
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "handover/listen.h"
#include "tests/unit/address_fixture.h"

#define PATIENCE_MSEC 20000 /* how long a test waits at most for an event that must come */

/* A socket bound there; a connection-oriented one listens. Port 0: any. An IPv6 socket also accepts IPv4, like a
 * unit's. */
static inline int bound_to(int type, const char *text, uint16_t port)
{
	struct address a = address_of(text, port);
	int fd = socket(a.any.sa_family, type | SOCK_CLOEXEC, 0), no = 0, yes = 1;

	assert_true(fd >= 0);
	if (a.any.sa_family == AF_INET6)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	assert_int_equal(bind(fd, &a.any, a.len), 0);
	if (type != SOCK_DGRAM)
		assert_int_equal(listen(fd, 4096), 0);
	return fd;
}

static inline uint16_t port_of(int fd)
{
	struct address a = {.len = sizeof(a.in6)};

	assert_int_equal(getsockname(fd, &a.any, &a.len), 0);
	return ntohs(a.any.sa_family == AF_INET ? a.in.sin_port : a.in6.sin6_port);
}

/* source: the client's address, or NULL. A datagram is sent at once. */
static inline int client_of(int type, const char *source, const char *text, uint16_t port)
{
	struct address to = address_of(text, port), from;
	int fd = socket(to.any.sa_family, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (source) {
		from = address_of(source, 0);
		assert_int_equal(bind(fd, &from.any, from.len), 0);
	}
	assert_int_equal(connect(fd, &to.any, to.len), 0);
	if (type == SOCK_DGRAM)
		assert_int_equal(send(fd, "x", 1, 0), 1);
	return fd;
}

static inline bool was_reset(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&p, 1, PATIENCE_MSEC) == 1 && recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET;
}

/* A Unix socket's client sees a reset as an end. */
static inline bool was_ended(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&p, 1, PATIENCE_MSEC) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static inline bool is_open(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

static inline bool is_readable(int fd)
{
	return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) == 1;
}

static inline void reset_own(int fd)
{
	static const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(fd);
}

/* Waits until this time on CLOCK_MONOTONIC. */
static inline void wait_until(uint64_t when)
{
	while (now_usec() < when)
		(void)poll(NULL, 0, timeout_msec(when));
}

static inline void wait_msec(uint64_t msec)
{
	wait_until(now_usec() + msec * USEC_PER_MSEC);
}
