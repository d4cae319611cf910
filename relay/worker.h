/* A worker: one thread with an epoll loop of its own, its connections and everything they need. Nothing is shared
 * between workers but `struct service`; a connection stays with the worker that was chosen for it (hand.h). */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "relay/connection.h"
#include "relay/counters.h"
#include "relay/service.h"

#define BUFFER_SIZE 262144U

struct acceptor;

struct worker {
	struct loop loop;
	struct service *service;
	unsigned index;	  /* 0 is the first, which runs in the main thread */
	pthread_t thread; /* of the others */
	struct counters counters;
	char *buffer;	 /* BUFFER_SIZE; holds nothing between two events */
	size_t buffered; /* bytes in the memory of all connections */
	struct pipe_pool pipes;

	struct connection *all;		 /* open */
	struct connection *free;	 /* to be reused */
	struct connection *dead;	 /* to be freed after this batch of events */
	struct connection_queue ready;	 /* has more to do than one turn allows */
	struct connection_queue waiting; /* for the next tick of `retry` */
	struct timer retry;
	struct timer sweep; /* --connection-timeout */
	struct timer probe; /* keepalive.h */
	struct timer limit; /* connect.h */

	struct acceptor *acceptors;
	size_t n_acceptors;
	struct timer resume;
	bool paused;   /* its acceptors are not watched */
	bool shortage; /* … because of an error: until the timer; otherwise until descriptors are free */

	struct udp *udp; /* the first worker's, NULL without UDP ports */

	/* A pipe through which the others tell it something (hand.h). */
	struct watch told;
	int told_in;
	atomic_uint handed; /* connections in there */
};

static inline struct worker *worker_of(struct loop *loop)
{
	return container_of(loop, struct worker, loop);
}
