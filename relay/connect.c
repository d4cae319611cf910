/* The relay tries one target after the other, and a server with a full backlog leaves each attempt unanswered for two
 * minutes (tcp_syn_retries, ip-sysctl). So all attempts for one client together may take --startup-timeout, counted
 * from the arrival of the client: it may have waited in our backlog for most of that time.
 *
 * Nearly every attempt succeeds at once and must cost nothing more. So a worker has one timer, armed by an attempt if
 * it is not armed. Only when it fires does the worker find out when the clients that are not connected yet arrived.
 */
#include "relay/connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/extremes.h"
#include "dial/proxy_protocol.h"
#include "relay/pump.h"
#include "relay/source.h"
#include "relay/turns.h"

/* #syscalls: connect getsockopt socket setsockopt */

/* How long to wait for a Unix socket's full queue; for TCP the kernel waits. */
#define PATIENCE_USEC (10 * USEC_PER_SEC)
/* When to check, after an attempt, which clients are late. */
#define GLANCE_USEC (500 * USEC_PER_MSEC)

static size_t target_index(const struct connection *c)
{
	return ((size_t)c->first + c->attempt) % most_of(c->forward->n_targets, 1); /* there is always one */
}

/* No target can be reached, for this reason or, with 0, in time: resets the client, and reports it once. */
static void give_up(struct worker *w, struct connection *c, int error)
{
	service_unreachable(w->service, c->forward, &c->forward->targets[target_index(c)], error);
	count_add(&w->counters.connections_failed, 1);
	connection_close(w, c, true);
}

/* When a TCP connection completed its handshake: nothing is sent to a client before its target is connected, and then
 * the kernel counts the time since the last data from the handshake (tcp_create_openreq_child() in the kernel's
 * net/ipv4/tcp_minisocks.c). */
static uint64_t waited_before(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_last_data_sent * USEC_PER_MSEC : 0;
}

/* CLOCK_MONOTONIC microseconds; for a client of a Unix socket, when it was accepted. */
static uint64_t arrival(const struct worker *w, const struct connection *c)
{
	uint64_t accepted = c->last_active, now = w->loop.now, waited;

	if (c->forward->family == AF_UNIX)
		return accepted;
	waited = waited_before(c->ends[CLIENT].watch.fd);
	return least_of(beyond(now, waited), accepted);
}

static bool still_connects(const struct connection *c)
{
	return c->state == CONNECTION_WAITING || c->state == CONNECTION_CONNECTING;
}

/* Resets clients that arrived too long ago, and sets the timer for the next one. */
static void limit_fired(struct loop *loop, struct timer *timer)
{
	struct worker *w = worker_of(loop);
	uint64_t timeout = w->service->config->startup_timeout, first = USEC_INFINITY;
	struct connection *next;

	for (struct connection *c = w->all; c; c = next) {
		next = c->next;
		if (!still_connects(c))
			continue;

		uint64_t late = arrival(w, c) + timeout;

		if (late <= loop->now)
			give_up(w, c, 0);
		else
			first = least_of(late, first);
	}
	if (first != USEC_INFINITY)
		timer_set(loop, timer, first);
}

void connect_init(struct worker *w)
{
	timer_add(&w->loop, &w->limit, limit_fired);
}

/* The timer may be set for a client that arrived later than this one: clients of different listeners are not accepted
 * in the order of their arrival. */
static void limit(struct worker *w)
{
	uint64_t glance = w->loop.now + GLANCE_USEC;

	if (w->limit.when > glance && w->service->config->startup_timeout != USEC_INFINITY)
		timer_set(&w->loop, &w->limit, glance);
}

/* With --transparent there are two rounds: first the targets that can see the client's address. */
static size_t rounds(const struct worker *w)
{
	return w->service->config->transparent ? 2 : 1;
}

static bool is_turn_of(const struct worker *w, const struct connection *c, const struct target *target)
{
	bool first_round = c->attempt < c->forward->n_targets;

	return !w->service->config->transparent || (source_family(w, c) == target->addr.ss_family) == first_round;
}

/* The kernel could not use the client's address: the same pair of addresses is connected already. */
static bool is_source_error(const struct worker *w, const struct connection *c, int error)
{
	return w->service->config->transparent && !c->anonymous && (error == EADDRNOTAVAIL || error == EADDRINUSE);
}

/* Sends the header of the PROXY protocol. Without the header, a server that trusts it would read the client's own bytes
 * as one; so without it nothing is passed on. */
static bool introduce(const struct service *s, struct connection *c)
{
	char header[PROXY_PROTOCOL_MAX];
	int fd = c->ends[CLIENT].watch.fd;
	size_t len = proxy_protocol_header(s->config->proxy_protocol, fd, &s->outside, header);

	return len > 0 && pump_begin_with(c, header, len); /* 0: the client is gone */
}

static void connected(struct worker *w, struct connection *c, uint32_t events)
{
	struct forward *f = c->forward;
	size_t index = target_index(c);

	if (atomic_load_explicit(&f->preferred, memory_order_relaxed) != index)
		atomic_store_explicit(&f->preferred, index, memory_order_relaxed);
	if (w->service->config->proxy_protocol != PROXY_PROTOCOL_NONE && !introduce(w->service, c))
		connection_close(w, c, true);
	else
		pump_start(w, c, events);
}

/* Takes the socket's pending error. */
static int socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

/* An attempt that fails was refused or not answered; only an established connection is reset (tcp(7), connect(2)). The
 * client then gets the data that the server sent before, and the reset. */
static bool was_connected(int error)
{
	return error == ECONNRESET || error == EPIPE;
}

static void try_targets(struct worker *w, struct connection *c, int error);

static void target_event(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct connection *c = container_of(watch, struct connection, ends[TARGET].watch);
	struct worker *w = worker_of(loop);
	int error = events & EPOLLERR ? socket_error(watch->fd) : 0;

	if (events & EPOLLERR && !was_connected(error)) {
		connection_drop_target(c);
		c->attempt++;
		try_targets(w, c, error);
	} else if (events & (EPOLLOUT | EPOLLERR)) {
		connected(w, c, events);
	}
}

/* Starts one attempt. Returns 0 if it is in progress or has succeeded, or an errno value. */
static int attempt(struct worker *w, struct connection *c, const struct target *target)
{
	struct watch *watch = &c->ends[TARGET].watch;
	int family = target->addr.ss_family, on = 1, r;

	watch->fd = socket(family, c->forward->publish->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (watch->fd < 0)
		return errno;
	if (family != AF_UNIX)
		(void)setsockopt(watch->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (w->service->config->transparent && !c->anonymous && source_bind(w, c, watch->fd, family))
		r = connect(watch->fd, (const struct sockaddr *)&target->addr, target->len);
	else
		r = target_connect(watch->fd, target);
	if (r < 0 && errno != EINPROGRESS)
		return errno;
	watch->ready = target_event;
	c->state = CONNECTION_CONNECTING;
	c->ends[TARGET].watches_out = r < 0;
	c->ends[TARGET].read_on = family == AF_UNIX;
	if (loop_watch(&w->loop, watch, RELAY_EVENTS | (r < 0 ? EPOLLOUT : 0)) < 0)
		return errno;
	if (r == 0)
		connected(w, c, 0);
	return 0;
}

static void wait(struct worker *w, struct connection *c)
{
	c->state = CONNECTION_WAITING;
	turn_later(w, c);
}

/* error: of an attempt before. A refusal says more than an address that the container lacks. */
static void try_targets(struct worker *w, struct connection *c, int error)
{
	struct forward *f = c->forward;
	int failure;

	limit(w);
	if (c->attempt == 0)
		c->first = (uint16_t)atomic_load_explicit(&f->preferred, memory_order_relaxed);
	while (c->attempt < rounds(w) * f->n_targets) {
		const struct target *target = &f->targets[target_index(c)];

		if (c->attempt == f->n_targets && error == ECONNREFUSED &&
		    w->loop.now < least_of(w->service->settles, f->deadline))
			break; /* rather than hide the client */
		if (!is_turn_of(w, c, target)) {
			c->attempt++;
			continue;
		}
		failure = attempt(w, c, target);
		if (failure == 0)
			return;
		connection_drop_target(c);
		if (is_shortage(failure) || (failure == EAGAIN && w->loop.now < c->last_active + PATIENCE_USEC)) {
			wait(w, c);
			return;
		}
		if (error != ECONNREFUSED)
			error = failure;
		if (is_source_error(w, c, failure))
			source_give_up(w, c); /* and try the same target without the address */
		else
			c->attempt++;
	}
	c->attempt = 0;
	if (w->loop.now < f->deadline)
		wait(w, c);
	else
		give_up(w, c, error);
}

void connect_target(struct worker *w, struct connection *c)
{
	try_targets(w, c, 0);
}
