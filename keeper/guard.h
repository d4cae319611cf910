/* Who looks after the queue when the keeper is killed while the service stops, or the container is put to sleep.
 *
 * systemd then runs ExecStopPost= for as long as the container needs to stop, and gives the listening sockets to nobody. So
 * a copy of the keeper waits beside it, from SIGTERM or from before the sleep to its end: when the keeper is gone, it goes
 * on to reset who waits too long, until systemd ends it with the rest of the service.
 */
#pragma once

#include "keeper/state.h"

/* Where there is one already, nothing happens. Without one, when there are no more processes or descriptors, all goes on
 * all the same. */
void guard_start(struct keeper *k);
void guard_end(struct keeper *k);
