#include "relay/worker_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/extremes.h"
#include "common/fault.h"
#include "relay/accept.h"
#include "relay/connect.h"
#include "relay/keepalive.h"
#include "relay/pump.h"

static void turn(struct worker *w, struct connection *c)
{
	switch (c->state) {
	case CONNECTION_WAITING:
		connect_target(w, c);
		break;
	case CONNECTION_CONNECTED:
		pump_start(w, c, 0);
		break;
	case CONNECTION_RELAYING:
		pump_turn(w, c);
		break;
	default: /* nothing to do before its next event */
		break;
	}
}

/* Each connection that is in the queue now has one turn; those that queue up again meanwhile wait for the next time. */
static void turn_all(struct worker *w, struct connection_queue *queue)
{
	struct connection_queue now = *queue;
	struct connection *c;

	if (!now.first)
		return;
	queue_init(queue);
	while ((c = queue_pop(w, &now)))
		turn(w, c);
}

static void retry_fired(struct loop *loop, struct timer *timer)
{
	struct worker *w = worker_of(loop);

	(void)timer;
	turn_all(w, &w->waiting);
}

/* --connection-timeout: closes connections that were quiet that long, and sets the timer for the next one. */
static void sweep_fired(struct loop *loop, struct timer *timer)
{
	struct worker *w = worker_of(loop);
	uint64_t timeout = w->service->config->connection_timeout, oldest = USEC_INFINITY;
	struct connection *next;

	for (struct connection *c = w->all; c; c = next) {
		next = c->next;
		if (c->last_active + timeout <= loop->now)
			connection_close(w, c, connection_has_buffered(c));
		else
			oldest = least_of(c->last_active, oldest);
	}
	if (oldest != USEC_INFINITY)
		timer_set(loop, timer, oldest + timeout);
}

bool worker_after(struct loop *loop)
{
	struct worker *w = worker_of(loop);

	turn_all(w, &w->ready);
	if (w->dead)
		connection_reap(w);
	if (w->paused && !w->shortage && descriptors_left(&w->service->descriptors, 2))
		accept_resume(w);
	if (w->all && w->sweep.when == USEC_INFINITY && w->service->config->connection_timeout != USEC_INFINITY)
		timer_set(loop, &w->sweep, loop->now + w->service->config->connection_timeout);
	return w->ready.first != NULL;
}

int worker_init(struct worker *w, struct service *service, unsigned index, struct error *err)
{
	*w = (struct worker){
		.service = service,
		.index = index,
		.pipes = {.descriptors = &service->descriptors},
		.told = {.fd = -1},
		.told_in = -1,
	};
	if (loop_open(&w->loop, err) < 0)
		return -1;
	w->loop.after = worker_after;
	w->buffer = malloc(BUFFER_SIZE);
	if (!w->buffer)
		return error_set(err, ENOMEM, "out of memory");
	queue_init(&w->ready);
	queue_init(&w->waiting);
	timer_add(&w->loop, &w->retry, retry_fired);
	timer_add(&w->loop, &w->sweep, sweep_fired);
	keepalive_init(w);
	connect_init(w);
	count_set(&w->counters.last_activity, w->loop.now);
	return 0;
}

int worker_run(struct worker *w, struct error *err)
{
	int r = loop_run(&w->loop, err);

	FAULT("worker:ends");
	accept_stop(w);
	worker_finish(w);
	return r;
}

void worker_finish(struct worker *w)
{
	while (w->all)
		pump_finish(w, w->all);
}
