/* The workers beside the first, each a thread. They share only the listeners and `struct service`.
 *
 * The kernel chooses by chance which worker it wakes for a new connection, often the same one for all of a client's. So
 * the worker that accepts a connection hands it to the one that has the fewest, through that worker's pipe.
 */
#pragma once

#include "relay/worker.h"

/* The best number of workers here: two are faster than one under every load of more than one connection, if each has a
 * processor. Only the first worker handles UDP. */
unsigned threads_default(const struct service *s);

/* Initialises the workers; opens descriptors, so call it before confinement. */
int threads_open(struct service *s, struct error *err);

/* Starts the workers; call it after confinement, as they inherit the filter. */
int threads_start(struct service *s, struct error *err);

/* Serves connections that other workers have handed over. */
void threads_take(struct worker *w);

/* May a worker be about to get a connection that none has counted yet? If not, and no worker may begin to accept
 * (accept.h), all connections are counted. */
bool threads_are_accepting(const struct service *s);

/* Makes the workers check s->phase. */
void threads_wake(struct service *s);

/* Waits until the workers have closed everything, after ENDING. */
void threads_join(struct service *s);
