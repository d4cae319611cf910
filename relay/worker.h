/* A worker: one thread with its own epoll loop, connections and everything they need. Workers share only `struct
 * service`; a connection stays with the worker that was chosen for it (hand.h). */
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
	unsigned index;	  /* 0: the first, which runs in the main thread */
	pthread_t thread; /* of the others */
	struct counters counters;
	char *buffer;	 /* BUFFER_SIZE; empty between two events */
	size_t buffered; /* bytes that all connections hold in memory */
	struct pipe_pool pipes;

	struct connection *all;		 /* open */
	struct connection *free;	 /* to be reused */
	struct connection *dead;	 /* to be freed at the end of this batch of events */
	struct connection_queue ready;	 /* have more to do than one turn allows */
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

	struct udp *udp; /* of the first worker; NULL without UDP ports */

	/* A pipe for messages from the other workers (hand.h). */
	struct watch told;
	int told_in;
	atomic_uint handed; /* connections in the pipe */
};

static inline struct worker *worker_of(struct loop *loop)
{
	return container_of(loop, struct worker, loop);
}
