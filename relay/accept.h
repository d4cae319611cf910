/* Accepts connections from the listeners' queues.
 *
 * A worker accepts a connection only if there are descriptors for both of its ends. If there are none, or the kernel is
 * short of something, the worker stops watching the listeners for a while. Clients then wait in the queue, where
 * nothing is lost.
 *
 * With several workers, one could accept a connection just as the first finds nobody to serve and ends. So a worker
 * sets `accepting` before it checks `leaving`, and the first worker sets `leaving` before it checks `accepting`: both
 * orders are sequentially consistent, so at least one of the two sees the other. A connection that is handed over
 * (hand.h) counts as being accepted until its new worker has counted it.
 */
#pragma once

#include "relay/worker.h"

/* Gives the stream listeners the options that accepted sockets inherit. To be called before confine(), which leaves the
 * options as they are. */
void accept_prepare(const struct service *s);

/* Watches the stream listeners; their clients are served from the next turn of the loop on. */
int accept_start(struct worker *w, struct error *err);

/* Leaves further connections in the queues. */
void accept_stop(struct worker *w);

/* Accepts the connections that are in the queues now, without waiting. */
void accept_now(struct worker *w);

/* Watches the listeners again, if they were not watched and there are descriptors again. */
void accept_resume(struct worker *w);

/* Serves an accepted connection for which there are descriptors. Owns fd; on failure resets the connection. */
void accept_serve(struct worker *w, struct forward *forward, int fd);

/* Serves a connection that another program has accepted from this forward's listener, by any worker. Owns fd; on
 * failure resets the connection. */
void accept_adopt(struct worker *w, struct forward *forward, int fd);
