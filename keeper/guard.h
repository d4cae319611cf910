/* Who looks after the queue when the keeper is killed while it puts the container to sleep.
 *
 * systemd then runs ExecStopPost= for as long as the container needs to stop, and gives the listening sockets to nobody. So
 * a copy of the keeper waits beside it, from before the sleep to its end: when the keeper is gone, it goes on to
 * reset who waits too long, until systemd ends it with the rest of the service.
 */
#pragma once

#include <sys/types.h>

#include "keeper/state.h"

struct guard {
	pid_t pid; /* 0: there is none */
	int alive; /* the end of a pipe that is closed with the keeper */
};

/* Without one, when there are no more processes or descriptors, the sleep goes on all the same. */
void guard_start(struct guard *g, struct keeper *k);
void guard_end(struct guard *g);
