/* The workers beside the first, each a thread. They share nothing with it but the listeners and `struct service`.
 *
 * Which of them the kernel wakes for a new connection is chance, and it often wakes the same one for all of a client's.
 * So who accepts a connection hands it to the one that has fewest, through that worker's pipe.
 */
#pragma once

#include "relay/worker.h"

/* How many workers are best here: a second one has been faster with every load of more than one connection, when it has
 * a processor. UDP is the first one's alone. */
unsigned threads_default(const struct service *s);

/* Initialises them; opens descriptors, so before confinement. */
int threads_open(struct service *s, struct error *err);

/* Starts them; after confinement, whose filter they inherit. */
int threads_start(struct service *s, struct error *err);

/* Serves what others have handed over. */
void threads_take(struct worker *w);

/* May a worker be about to get a connection that none has counted yet? When the answer is no while nobody may begin to
 * accept (accept.h), all are counted. */
bool threads_are_accepting(const struct service *s);

/* Makes them look at s->phase. */
void threads_wake(struct service *s);

/* Waits until they have closed everything, after ENDING. */
void threads_join(struct service *s);
