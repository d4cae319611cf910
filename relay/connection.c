#include "relay/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/worker.h"

/* #syscalls: close setsockopt */

#define SLAB_CONNECTIONS 64

/* Slabs are never freed: an idle proxy exits soon. */
static int grow(struct worker *w)
{
	struct connection *slab = calloc(SLAB_CONNECTIONS, sizeof(*slab));

	if (!slab)
		return -1;
	for (size_t i = 0; i < SLAB_CONNECTIONS; i++) {
		slab[i].next = w->free;
		w->free = &slab[i];
	}
	return 0;
}

/* The connection begins to hold, which counts as activity. */
static void begin_to_hold(struct worker *w, struct connection *c)
{
	c->holds = true;
	count_set(&w->counters.last_activity, w->loop.now);
	count_add(&w->counters.holding, 1);
	count_add(&w->counters.holders, 1);
}

void connection_speaks(struct worker *w, struct connection *c)
{
	begin_to_hold(w, c);
	c->silent = false;
	/* The first worker reads `silent` before `holding`: so it finds this connection in one of them. */
	atomic_thread_fence(memory_order_release);
	count_add(&w->counters.silent, (uint64_t)-1);
}

struct connection *connection_new(struct worker *w, struct forward *forward, int fd, bool counts)
{
	struct connection *c;

	if (!w->free && grow(w) < 0)
		return NULL;
	c = w->free;
	w->free = c->next;
	memset(c, 0, sizeof(*c));
	c->forward = forward;
	c->silent = counts && w->service->config->hold_data;
	c->last_active = w->loop.now;
	c->state = CONNECTION_WAITING;
	c->ends[CLIENT].watch = (struct watch){.ready = loop_ignore, .fd = fd};
	c->ends[TARGET].watch = (struct watch){.ready = loop_ignore, .fd = -1};
	c->next = w->all;
	if (w->all)
		w->all->prev = c;
	w->all = c;

	count_add(&w->counters.connections, 1);
	count_add(&w->counters.connections_total, 1);
	if (c->silent) {
		count_set(&w->counters.last_silent, w->loop.now);
		count_add(&w->counters.silent, 1);
	} else if (counts) {
		begin_to_hold(w, c);
	}
	return c;
}

static void drop_buffered(struct worker *w, struct end *e)
{
	if (e->pipe)
		pipe_discard(&w->pipes, e->pipe);
	if (e->buffered) {
		free(e->buffered);
		w->buffered -= e->buffered_len;
	}
	e->pipe = NULL;
	e->buffered = NULL;
	e->buffered_len = 0;
}

static void close_end(struct end *e, bool reset)
{
	static const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	e->watch.ready = loop_ignore;
	if (e->watch.fd < 0)
		return;
	/* A Unix socket has no reset and ignores this. */
	if (reset)
		(void)setsockopt(e->watch.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(e->watch.fd);
	e->watch.fd = -1;
}

static void bury(struct worker *w, struct connection *c)
{
	c->next = w->dead;
	w->dead = c;
}

void connection_close(struct worker *w, struct connection *c, bool reset)
{
	if (w->service->closed)
		w->service->closed(w, c);
	for (int i = CLIENT; i <= TARGET; i++) {
		drop_buffered(w, &c->ends[i]);
		close_end(&c->ends[i], reset);
	}
	descriptors_give(&w->service->descriptors, 2);

	if (c->prev)
		c->prev->next = c->next;
	else
		w->all = c->next;
	if (c->next)
		c->next->prev = c->prev;

	count_add(&w->counters.connections, (uint64_t)-1);
	if (c->holds) {
		count_set(&w->counters.last_activity, w->loop.now);
		count_add(&w->counters.holding, (uint64_t)-1);
	}
	if (c->silent)
		count_add(&w->counters.silent, (uint64_t)-1);
	c->state = CONNECTION_CLOSED;
	if (!c->is_queued)
		bury(w, c);
}

bool connection_has_buffered(const struct connection *c)
{
	return end_has_buffered(&c->ends[CLIENT]) || end_has_buffered(&c->ends[TARGET]);
}

void connection_reap(struct worker *w)
{
	while (w->dead) {
		struct connection *c = w->dead;

		w->dead = c->next;
		c->next = w->free;
		w->free = c;
	}
}

void connection_drop_target(struct connection *c)
{
	close_end(&c->ends[TARGET], false);
}

void queue_init(struct connection_queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

void queue_add(struct connection_queue *q, struct connection *c)
{
	if (c->is_queued)
		return;
	c->is_queued = true;
	c->queued = NULL;
	*q->last = c;
	q->last = &c->queued;
}

struct connection *queue_pop(struct worker *w, struct connection_queue *q)
{
	struct connection *c;

	while ((c = q->first)) {
		q->first = c->queued;
		if (!q->first)
			q->last = &q->first;
		c->is_queued = false;
		if (c->state != CONNECTION_CLOSED)
			return c;
		bury(w, c);
	}
	return NULL;
}
