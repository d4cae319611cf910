/* The workers beside the first, each a thread. They share nothing with it but the listeners and `struct service`. */
#pragma once

#include "proxy/worker.h"

/* How many workers are best here: a second one has been faster with every load of more than one connection, when it has
 * a processor. UDP is the first one's alone. */
unsigned threads_default(const struct service *s);

/* Initialises them; opens descriptors, so before confinement. */
int threads_open(struct service *s, struct error *err);

/* Starts them; after confinement, whose filter they inherit. */
int threads_start(struct service *s, struct error *err);

/* Has them look at s->phase. */
void threads_wake(struct service *s);

/* Waits until they have closed everything, after ENDING. */
void threads_join(struct service *s);
