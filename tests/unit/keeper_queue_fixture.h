/* A queue with real sockets, as systemd would hand them over. */
#pragma once

#include "keeper/queue.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include "common/log.h"
#include "keeper/backlog.h"
#include "tests/unit/keeper_fixture.h"

#define LIMIT (600 * USEC_PER_MSEC)
#define SLACK (20 * USEC_PER_MSEC) /* the kernel counts in ticks */
#define ABOUT (60 * USEC_PER_MSEC) /* the kernel counts in ticks */

/* So many numbers are kept for what systemd would hand over. */
#define RESERVED 8

static inline void reserve(void)
{
	int low = open("/dev/null", O_RDONLY | O_CLOEXEC), fd = fcntl(low, F_DUPFD_CLOEXEC, 100);

	close(low);
	for (int k = 0; k < RESERVED; k++)
		assert_int_equal(dup3(fd, LISTEN_FDS_START + k, O_CLOEXEC), LISTEN_FDS_START + k);
	close(fd);
}

static inline int setup(void **state)
{
	static int nothing;

	*state = &nothing;
	reserve();
	return 0;
}

/* Hands them over; they are the queue's then. -1-terminated. */
static inline struct queue queue_of(const int *fds, uint64_t limit)
{
	static struct queue q;
	struct error err;
	char text[16];
	int n = 0;

	for (; fds[n] >= 0; n++) {
		assert_int_equal(dup2(fds[n], LISTEN_FDS_START + n), LISTEN_FDS_START + n);
		close(fds[n]);
	}
	snprintf(text, sizeof(text), "%d", getpid());
	setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof(text), "%d", n);
	setenv("LISTEN_FDS", text, 1);
	if (queue_open(&q, limit, &err) < 0)
		fail_msg("%s", err.text);
	return q;
}

#define QUEUE(limit, ...) queue_of((const int[]){__VA_ARGS__, -1}, limit)

static inline struct cidr range(const char *text)
{
	struct error err;
	struct cidr c;

	assert_int_equal(cidr_parse(text, &c, &err), 0);
	return c;
}

/* What somebody else gets who binds the same address as our UDP socket, and wants to share it, as systemd does. */
static inline int bind_beside(int fd)
{
	_cleanup_close_ int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int on = 1;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	return bind(other, (struct sockaddr *)&a, len) < 0 ? errno : 0;
}

/* When somebody connected: between two looks at the clock, which a busy machine may have kept far apart. */
struct moment {
	uint64_t before, after;
};

static inline struct moment connected(int *ret, const char *to)
{
	struct moment m = {.before = now_usec()};

	*ret = client_of(SOCK_STREAM, NULL, to, port_of(3));
	m.after = now_usec();
	return m;
}

static inline bool is_about(uint64_t t, struct moment m)
{
	return t + ABOUT >= m.before && t <= m.after + ABOUT;
}
