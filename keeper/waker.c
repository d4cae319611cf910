#include "keeper/waker.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "handover/listen.h"
#include "keeper/backlog.h"

/* IPv4 as ::ffff:A.B.C.D. False: a Unix socket. */
static bool take_address(const struct sockaddr_storage *a, unsigned char ret[static STATS_ADDRESS])
{
	if (a->ss_family == AF_INET6) {
		memcpy(ret, &((const struct sockaddr_in6 *)a)->sin6_addr, STATS_ADDRESS);
		return true;
	}
	if (a->ss_family != AF_INET)
		return false;
	memset(ret, 0, 10);
	memset(ret + 10, 0xff, 2);
	memcpy(ret + 12, &((const struct sockaddr_in *)a)->sin_addr, 4);
	return true;
}

/* Keeps the one that came first. address: NULL for a client of a Unix socket. */
static void consider(struct stats *s, uint64_t arrived, const unsigned char *address)
{
	if (s->t_client && s->t_client <= arrived)
		return;
	s->t_client = arrived;
	s->woken_by = address ? STATS_BY_CLIENT : STATS_BY_LOCAL_CLIENT;
	memset(s->client, 0, sizeof(s->client));
	if (address)
		memcpy(s->client, address, sizeof(s->client));
}

static void consider_accepted(const struct client *c, struct stats *s)
{
	struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
	unsigned char address[STATS_ADDRESS];
	socklen_t len = sizeof(a);

	if (getpeername(c->fd, (struct sockaddr *)&a, &len) == 0)
		consider(s, c->arrived, take_address(&a, address) ? address : NULL);
}

static bool is_unix(int fd)
{
	int domain = AF_UNSPEC;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

/* Since when somebody waits is known to `since` alone where the kernel does not tell. */
static uint64_t since(const struct queue *q)
{
	return q->since == USEC_INFINITY ? now_usec() : q->since;
}

static void consider_stream(const struct queue *q, int fd, struct stats *s)
{
	struct backlog b;
	uint64_t now = now_usec();

	if (is_unix(fd)) {
		if (queue_listener_waits(fd))
			consider(s, since(q), NULL);
	} else if (backlog_look(fd, 0, &b) == 0 && b.first_age < now) {
		consider(s, now - b.first_age, b.first);
	}
}

static void consider_datagram(const struct queue *q, int fd, struct stats *s)
{
	struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
	unsigned char address[STATS_ADDRESS];
	socklen_t len = sizeof(a);
	char byte;

	if (recvfrom(fd, &byte, 0, MSG_DONTWAIT | MSG_PEEK, (struct sockaddr *)&a, &len) >= 0)
		consider(s, since(q), take_address(&a, address) ? address : NULL);
}

void waker_find(const struct queue *q, struct stats *s)
{
	for (size_t i = 0; i < q->n_accepted; i++)
		consider_accepted(&q->accepted[i], s);
	for (int i = 0; i < q->n; i++) {
		if (q->stream[i])
			consider_stream(q, LISTEN_FDS_START + i, s);
		else
			consider_datagram(q, LISTEN_FDS_START + i, s);
	}
}
