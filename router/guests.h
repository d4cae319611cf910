/* The clients of a worker: from the socket that the dispatcher hands over, through the first request and the engine that may
 * have to be started for it, to the relay, or to an error in the form of an answer.
 *
 * A client that has sent nothing starts nothing. Bytes go through relay/ as they are. The worker ends when the dispatcher
 * closes its end of the channel, which it does when the worker is idle, and no client is left.
 */
#pragma once

#include "relay/worker.h"
#include "router/message.h"

struct guest;

/* What `connect` is told of a client. */
struct guest_client {
	int fd;
	bool contained;	   /* in a container of the worker's user, it seems */
	const char *owner; /* admission.h */
};

struct guests {
	struct worker worker;
	struct service service;
	struct forward forward;
	struct relay_config relay;
	struct watch channel; /* to the dispatcher; -1: it has gone */
	struct timer tick;
	struct guest *first; /* that are not relayed */
	struct guest *relayed;
	struct guest *gone;	      /* to be freed after this batch of events */
	unsigned n;		      /* all */
	uint64_t idle_timeout;	      /* microseconds */
	uint64_t idle_since, offered; /* when the last client left, when it was said last that the worker may go */
	bool draining;

	/* Connects to the engine for a client, without blocking, and names it. Codes: ECONNREFUSED: it has to be started first;
	 * EAGAIN: once more in a moment; EACCES, EPERM: answered with 403; others: with 503. */
	int (*connect)(struct guests *g, const struct guest_client *c, char ret_engine[static 16], struct error *err);

	/* Starts it; guests_serve_waiting() or guests_refuse_waiting() follow. */
	void (*start)(struct guests *g);

	/* May an idle worker go? NULL: always. While it drains, it goes in any case. */
	bool (*may_leave)(struct guests *g);

	/* A message that is not about a client. */
	void (*told)(struct guests *g, const struct message *m);
};

/* Opens the loop; `channel` belongs to it from now on. */
int guests_open(struct guests *g, int channel, uint64_t idle_timeout, struct error *err);

int guests_run(struct guests *g, struct error *err);

/* The engine has been started, or could not be. */
void guests_serve_waiting(struct guests *g);
void guests_refuse_waiting(struct guests *g, unsigned status, const char *why);

static inline struct guests *guests_of(struct loop *loop)
{
	return container_of(worker_of(loop), struct guests, worker);
}
