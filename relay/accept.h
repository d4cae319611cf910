/* Takes connections out of the listeners' queues.
 *
 * A connection is only accepted when there are descriptors for both of its ends. When there are none, or the kernel is
 * short of something, the listeners are not watched for a while and clients wait in the queue, where nothing is lost.
 *
 * With several workers one could accept just as the first decides that nobody is served and ends. So a worker says that
 * it is accepting before it looks whether the first one is leaving, and the first says that it is leaving before it
 * looks whether one is accepting: both orders are sequentially consistent, so at least one of them sees the other. A
 * connection that is handed over (hand.h) is being accepted until its new worker has counted it.
 */
#pragma once

#include "relay/worker.h"

/* Gives the stream listeners the options that accepted sockets inherit: before confine(), which leaves them as they are. */
void accept_prepare(const struct service *s);

/* Watches the stream listeners; clients are served from the next turn of the loop. */
int accept_start(struct worker *w, struct error *err);

/* Leaves what comes from now on in the queues. */
void accept_stop(struct worker *w);

/* Accepts what is in the queues now, without waiting. */
void accept_now(struct worker *w);

/* Watches the listeners again if they were not, and there are descriptors again. */
void accept_resume(struct worker *w);

/* Serves an accepted connection for which there are descriptors. Owns fd; on failure it is reset. */
void accept_serve(struct worker *w, struct forward *forward, int fd);

/* Has a connection served that another program has accepted from this forward's listener. Owns fd; on failure it is
 * reset. */
void accept_adopt(struct worker *w, struct forward *forward, int fd);
