#include "keeper/queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/extremes.h"
#include "common/log.h"
#include "handover/listen.h"
#include "handover/refuse.h"
#include "keeper/backlog.h"

/* A hostile client could go on connecting for ever. */
#define LOOK_MAX 100000

/* At most this many clients that may not wake the container are logged one by one. */
#define TOLD_MAX 16

static int option(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -1 : value;
}

/* systemd sets SO_REUSEADDR on every socket. On Linux any user may then bind the same UDP port, or a more specific
 * address of it, and receive the datagrams (socket(7)). The socket stays bound without the option, also while the
 * instance sleeps again. */
static void share_with_nobody(int fd)
{
	const int off = 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off));
}

int queue_open(struct queue *q, uint64_t limit, struct error *err)
{
	*q = (struct queue){.limit = limit, .since = USEC_INFINITY};
	if (listen_fds(&q->n, err) < 0)
		return -1;
	if (q->n > LISTENERS_MAX)
		return error_set(err, E2BIG, "the socket unit has more than %d sockets", LISTENERS_MAX);
	for (int i = 0; i < q->n; i++) {
		int fd = LISTEN_FDS_START + i, listening = option(fd, SO_ACCEPTCONN);

		/* Without NonBlocking=yes in the unit, accept4() would hang. */
		if (listening < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return error_errno(err, errno, "descriptor %d from the service manager is no usable socket",
					   fd);
		q->stream[i] = listening > 0;
		if (!q->stream[i])
			share_with_nobody(fd);
	}
	return 0;
}

bool queue_is_of_datagrams(const struct queue *q)
{
	for (int i = 0; i < q->n; i++) {
		if (q->stream[i])
			return false;
	}
	return q->n > 0;
}

bool queue_listener_waits(int listener)
{
	return poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, 0) > 0;
}

bool queue_waits(const struct queue *q)
{
	if (q->n_accepted > 0)
		return true;
	for (int i = 0; i < q->n; i++) {
		if (queue_listener_waits(LISTEN_FDS_START + i))
			return true;
	}
	return false;
}

/* When a TCP client completed its handshake: we have never sent data to it, so the kernel reports the time since then
 * (tcp(7), TCP_INFO). For other clients the time is not known: they arrived after `since`. */
static uint64_t arrival(const struct queue *q, int fd, uint64_t now)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	    len > offsetof(struct tcp_info, tcpi_last_data_sent)) {
		return beyond(now, info.tcpi_last_data_sent * USEC_PER_MSEC);
	}
	return least_of(q->since, now);
}

/* Accepts one client. With SO_LINGER 0 the end of this process, however it ends, resets the connection. False if no
 * client is left. ret->fd is -1 if this client is gone already. */
static bool accept_client(const struct queue *q, int listener, struct client *ret, struct sockaddr_storage *source)
{
	static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	socklen_t len = sizeof(*source);

	source->ss_family = AF_UNSPEC;
	*ret = (struct client){.listener = listener};
	ret->fd = accept4(LISTEN_FDS_START + listener, (struct sockaddr *)source, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (ret->fd < 0)
		return errno == EINTR || errno == ECONNABORTED;
	(void)setsockopt(ret->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	ret->arrived = arrival(q, ret->fd, now_usec());
	return true;
}

static bool is_excluded(const struct cidr *ranges, size_t n, const struct sockaddr_storage *source)
{
	for (size_t i = 0; i < n; i++) {
		if (cidr_contains(&ranges[i], (const struct sockaddr *)source))
			return true;
	}
	return false;
}

static void tell_admission(bool excluded, const struct sockaddr_storage *source)
{
	char host[INET6_ADDRSTRLEN] = "somebody on a Unix socket";
	static unsigned told;

	if (!log_is_debug || (excluded && told++ >= TOLD_MAX))
		return;
	if (source->ss_family == AF_INET)
		(void)inet_ntop(AF_INET, &((const struct sockaddr_in *)source)->sin_addr, host, sizeof(host));
	else if (source->ss_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)source)->sin6_addr, host, sizeof(host));
	log_step("%s %s", host, excluded ? "may not wake the container (--no-wake-from): is refused" : "is admitted");
}

/* True if somebody waits whose address cannot be found out, for lack of descriptors: the wake then fails for the same
 * reason, says so, and everybody is refused. */
static bool admit_streams(struct queue *q, int listener, const struct cidr *ranges, size_t n)
{
	struct sockaddr_storage source;
	struct client c;
	bool excluded;

	for (int left = LOOK_MAX; left && q->n_accepted < ACCEPTED_MAX; left--) {
		if (!accept_client(q, listener, &c, &source))
			return errno == EMFILE || errno == ENFILE;
		if (c.fd < 0)
			continue;
		excluded = is_excluded(ranges, n, &source);
		tell_admission(excluded, &source);
		if (excluded)
			close(c.fd);
		else
			q->accepted[q->n_accepted++] = c;
	}
	return false;
}

/* Drops datagrams from these ranges. True if a datagram from elsewhere is in front. */
static bool admit_datagrams(int fd, const struct cidr *ranges, size_t n)
{
	for (int left = LOOK_MAX; left; left--) {
		struct sockaddr_storage source = {.ss_family = AF_UNSPEC};
		socklen_t len = sizeof(source);
		bool excluded;
		char byte;

		if (recvfrom(fd, &byte, 0, MSG_DONTWAIT | MSG_PEEK, (struct sockaddr *)&source, &len) < 0) {
			if (errno == EAGAIN)
				return false;
			continue; /* the error of an ICMP message, now taken */
		}
		excluded = is_excluded(ranges, n, &source);
		tell_admission(excluded, &source);
		if (!excluded)
			return true;
		(void)recv(fd, &byte, 0, MSG_DONTWAIT);
	}
	return false;
}

/* Updates `since` by the accepted clients, whose times are known. */
static void note_arrivals(struct queue *q)
{
	for (size_t i = 0; i < q->n_accepted; i++)
		q->since = least_of(q->accepted[i].arrived, q->since);
}

bool queue_admit(struct queue *q, const struct cidr *ranges, size_t n)
{
	bool anybody = false;

	for (int i = 0; i < q->n; i++) {
		if (q->stream[i])
			anybody |= admit_streams(q, i, ranges, n);
		else
			anybody |= admit_datagrams(LISTEN_FDS_START + i, ranges, n);
	}
	note_arrivals(q);
	return anybody || q->n_accepted > 0;
}

uint64_t queue_deadline(const struct queue *q)
{
	return time_after(q->since, q->limit);
}

static bool is_too_old(const struct queue *q, const struct client *c, uint64_t now)
{
	return now >= time_after(c->arrived, q->limit);
}

static void drop_datagrams(int fd)
{
	char byte;

	for (int left = LOOK_MAX; left && recv(fd, &byte, 0, MSG_DONTWAIT) >= 0;)
		left--;
}

/* Works also if a proxy holds a copy of the socket: disconnecting a TCP socket resets the connection (connect(2),
 * AF_UNSPEC). */
static void reset_for_all(int fd)
{
	static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	if (connect(fd, &nobody, sizeof(nobody)) < 0)
		(void)shutdown(fd, SHUT_RDWR);
	close(fd);
}

static size_t expire_accepted(struct queue *q, uint64_t now)
{
	size_t kept = 0, gone;

	for (size_t i = 0; i < q->n_accepted; i++) {
		if (is_too_old(q, &q->accepted[i], now))
			reset_for_all(q->accepted[i].fd);
		else
			q->accepted[kept++] = q->accepted[i];
	}
	gone = q->n_accepted - kept;
	q->n_accepted = kept;
	return gone;
}

/* Accepts n clients, or as many as there are, and resets them. Returns how many. */
static size_t reset_front(int listener, size_t n)
{
	size_t gone = 0;

	for (int left = LOOK_MAX; left && gone < n; left--) {
		int fd = refuse_accept(LISTEN_FDS_START + listener);

		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			break;
		if (fd < 0)
			continue;
		/* The queue may contain clients that gave up; they were not counted. */
		gone += option(fd, SO_ERROR) == 0;
		refuse_close(fd);
	}
	return gone;
}

/* Returns when the first client that may go on waiting arrived. If that cannot be seen, treats all clients as of the
 * same age. */
static uint64_t expire_streams(struct queue *q, int listener, uint64_t now, size_t *gone)
{
	struct backlog b;

	if (backlog_look(LISTEN_FDS_START + listener, q->limit, &b) < 0)
		b = (struct backlog){.old = LOOK_MAX, .oldest_age = USEC_INFINITY};
	*gone += reset_front(listener, b.old);
	return b.oldest_age == USEC_INFINITY ? USEC_INFINITY : now - b.oldest_age;
}

size_t queue_expire(struct queue *q, uint64_t now)
{
	size_t gone = expire_accepted(q, now);
	uint64_t since = USEC_INFINITY;

	for (int i = 0; i < q->n; i++) {
		uint64_t first = USEC_INFINITY;

		if (q->stream[i])
			first = expire_streams(q, i, now, &gone);
		else
			drop_datagrams(LISTEN_FDS_START + i);
		since = least_of(first, since);
	}
	q->since = since;
	note_arrivals(q);
	return gone;
}

void queue_refuse(struct queue *q)
{
	for (size_t i = 0; i < q->n_accepted; i++)
		reset_for_all(q->accepted[i].fd);
	q->n_accepted = 0;
	refuse_listeners(q->n);
	q->since = USEC_INFINITY;
}

void queue_forget_accepted(struct queue *q)
{
	for (size_t i = 0; i < q->n_accepted; i++)
		close(q->accepted[i].fd);
	q->n_accepted = 0;
}

const char *queue_accepted_text(const struct queue *q, char ret[static QUEUE_TEXT_MAX])
{
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < q->n_accepted; i++) {
		const struct client *c = &q->accepted[i];

		len = accepted_append(ret, QUEUE_TEXT_MAX, len, &(struct accepted_client){c->fd, c->listener});
	}
	return ret;
}
