#include "relay/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cidr.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "relay/datagram.h"

/* #syscalls: sendto */

#define FLOWS_MAX  8192U
#define RETRY_USEC (50 * USEC_PER_MSEC)

struct port {
	struct watch watch;
	struct udp *udp;
	struct forward *forward;
	uint8_t want; /* datagrams at a time: batch_receive() */
};

struct udp {
	struct worker *worker;
	struct flow_table flows;
	struct batch batch;
	struct timer retry;
	size_t n_waiting;
	struct port *ports;
	size_t n_ports;
};

static void flow_ready(struct loop *loop, struct watch *watch, uint32_t events);

static void used(struct udp *u, struct flow *f)
{
	flow_touch(&u->flows, f);
	if (f->holds)
		count_set(&u->worker->counters.last_activity, u->worker->loop.now);
}

static void try_later(struct udp *u, struct flow *f)
{
	f->refused = 0;
	f->waiting = true;
	u->n_waiting++;
	if (u->retry.when == USEC_INFINITY)
		timer_set(&u->worker->loop, &u->retry, u->worker->loop.now + RETRY_USEC);
}

/* Connects to the addresses from this one on, until one takes the first datagram. (Refusals come later, to
 * flow_ready().) If none does, the flow waits or is closed; returns false. */
static bool try_targets(struct udp *u, struct flow *f, size_t target)
{
	size_t n = f->key.forward->n_targets;

	for (; f->refused < n; f->refused++, target++) {
		if (flow_connect(&u->flows, f, target % n) == 0 &&
		    (!f->first || send(f->watch.fd, f->first, f->first_len, 0) >= 0))
			return true;
	}
	if (f->first && u->worker->loop.now < f->key.forward->deadline) {
		try_later(u, f);
	} else {
		count_add(&u->worker->counters.datagrams_dropped, f->first != NULL);
		flow_close(&u->flows, f); /* the next datagram tries all again */
	}
	return false;
}

static void refused(struct udp *u, struct flow *f)
{
	if (f->answered || f->waiting)
		return;
	f->refused++;
	(void)try_targets(u, f, (size_t)f->target + 1);
}

static void retry_fired(struct loop *loop, struct timer *timer)
{
	struct udp *u = container_of(timer, struct udp, retry);
	size_t left = u->n_waiting;
	struct flow *older;

	(void)loop;
	u->n_waiting = 0;
	for (struct flow *f = u->flows.newest; f && left > 0; f = older) {
		older = f->older;
		if (!f->waiting)
			continue;
		left--;
		f->waiting = false;
		(void)try_targets(u, f, f->target);
	}
}

static bool does_hold(const struct relay_config *config, const struct sockaddr *client)
{
	for (size_t i = 0; i < config->n_no_hold; i++) {
		if (cidr_contains(&config->no_hold[i], client))
			return false;
	}
	return true;
}

/* The flow of a datagram; makes it for the first one. */
static struct flow *flow_of(struct udp *u, struct port *port, const struct datagram *d)
{
	struct flow_key key = d->key;
	struct flow *f;

	key.forward = port->forward;
	f = flow_find(&u->flows, &key);
	if (f)
		return f;
	f = flow_new(&u->flows, &key, flow_ready);
	if (!f)
		return NULL;
	f->holds = does_hold(u->worker->service->config, d->client);
	count_add(&u->worker->counters.holders, f->holds);
	return f;
}

/* The first datagram of a flow; false if it could neither be sent nor kept for later. */
static bool begin(struct udp *u, struct flow *f, const struct datagram *d)
{
	if (d->segment == 0)
		flow_keep_first(&u->flows, f, d->data, d->len);
	return try_targets(u, f, atomic_load_explicit(&f->key.forward->preferred, memory_order_relaxed)) || f->waiting;
}

/* A run of datagrams of one flow. */
static void forward_run(struct udp *u, struct flow *f, size_t first, size_t end)
{
	size_t bytes = 0, sent = 0;

	for (size_t i = first; i < end; i++)
		bytes += u->batch.datagrams[i].len;
	count_add(&u->worker->counters.bytes[CLIENT], bytes);
	used(u, f);
	if (f->watch.fd < 0 && !f->waiting) { /* a new flow */
		if (!begin(u, f, &u->batch.datagrams[first])) {
			count_add(&u->worker->counters.datagrams_dropped, end - first - 1);
			return;
		}
		if (f->first)
			first++; /* it was sent, or waits for its target */
	}
	if (!f->waiting)
		sent = batch_send(&u->batch, first, end, f->watch.fd, NULL);
	count_add(&u->worker->counters.datagrams_dropped, end - first - sent);
}

static void port_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct port *port = container_of(watch, struct port, watch);
	struct udp *u = port->udp;
	struct flow *f = NULL;
	size_t n, first = 0;

	(void)loop;
	(void)events;
	n = batch_receive(&u->batch, watch->fd, port->forward->family, &port->want);
	for (size_t i = 0; i < n; i++) {
		struct flow *next;

		if (f && memcmp(&u->batch.datagrams[i].key, &u->batch.datagrams[first].key, sizeof(f->key)) == 0)
			continue;
		if (f)
			forward_run(u, f, first, i);
		next = flow_of(u, port, &u->batch.datagrams[i]);
		if (!next)
			count_add(&u->worker->counters.datagrams_dropped, 1);
		f = next;
		first = i;
	}
	if (f)
		forward_run(u, f, first, n);
}

/* The flow's socket has answers, or a refusal. */
static void flow_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct flow *f = container_of(watch, struct flow, watch);
	struct udp *u = worker_of(loop)->udp;
	size_t n, sent, bytes = 0;

	(void)events;
	errno = 0;
	n = batch_receive(&u->batch, watch->fd, AF_UNSPEC, &f->want);
	if (n == 0) {
		if (errno == ECONNREFUSED)
			refused(u, f);
		return;
	}
	if (!f->answered) {
		f->answered = true;
		flow_drop_first(&u->flows, f);
		atomic_store_explicit(&f->key.forward->preferred, f->target, memory_order_relaxed);
	}
	if (n == BATCH_SIZE && !f->joins)
		f->joins = datagram_join(watch->fd);
	if (u->worker->service->config->hold_data) /* the server's data is not activity: the client may be gone */
		flow_touch(&u->flows, f);
	else
		used(u, f);
	for (size_t i = 0; i < n; i++)
		bytes += u->batch.datagrams[i].len;
	count_add(&u->worker->counters.bytes[TARGET], bytes);
	sent = batch_send(&u->batch, 0, n, f->key.forward->fd, &f->key);
	count_add(&u->worker->counters.datagrams_dropped, n - sent);
}

int udp_open(struct worker *w, struct udp **ret, struct error *err)
{
	struct service *s = w->service;
	uint64_t expiry = s->config->flow_timeout, quiet = s->config->connection_timeout;
	size_t max = (size_t)atomic_load(&s->descriptors.free) / 2; /* the other half is for connections */
	struct udp *u;
	size_t n = 0;

	*ret = NULL;
	for (size_t i = 0; i < s->n_forwards; i++)
		n += s->forwards[i].publish->type == SOCK_DGRAM;
	if (n == 0)
		return 0;
	u = calloc(1, sizeof(*u));
	if (!u || !(u->ports = calloc(n, sizeof(*u->ports)))) {
		free(u);
		return error_set(err, ENOMEM, "out of memory");
	}
	*ret = u;
	u->worker = w;
	timer_add(&w->loop, &u->retry, retry_fired);
	for (size_t i = 0; i < s->n_forwards; i++) {
		struct forward *f = &s->forwards[i];

		u->batch.plain |= f->family == AF_UNIX;
		if (f->publish->type != SOCK_DGRAM)
			continue;
		if (datagram_options(f->fd, f->family, err) < 0)
			return -1;
		u->ports[u->n_ports++] = (struct port){
			.watch = {.ready = port_ready, .fd = f->fd},
			.udp = u,
			.forward = f,
		};
	}
	if (flow_table_init(&u->flows, w, least_of(max, FLOWS_MAX), least_of(expiry, quiet), err) < 0)
		return -1;
	return batch_open(&u->batch, err);
}

int udp_start(struct udp *u, struct error *err)
{
	for (size_t i = 0; u && i < u->n_ports; i++) {
		struct port *port = &u->ports[i];

		if (loop_watch(&u->worker->loop, &port->watch, EPOLLIN) < 0)
			return error_errno(err, errno, "cannot watch UDP port %u", port->forward->publish->port);
	}
	return 0;
}

void udp_stop(struct udp *u)
{
	for (size_t i = 0; u && i < u->n_ports; i++)
		loop_unwatch(&u->worker->loop, &u->ports[i].watch);
}

void udp_now(struct udp *u)
{
	for (size_t i = 0; u && i < u->n_ports; i++)
		port_ready(&u->worker->loop, &u->ports[i].watch, EPOLLIN);
}
