/* Peers that are gone without a word must not keep a container awake. */
#pragma once

#include "relay/worker.h"

/* Probes start after --keepalive of silence; a peer that answers none of eight is gone, and the kernel says so
 * (tcp(7)). For clients. What is accepted later inherits it from the listener. */
void keepalive_set(int fd, const struct relay_config *config);

/* A server that closes its socket sends the same FIN as one that only has nothing more to say. Its client may never
 * look: many a pool finds out at its next request. So when the server has sent its FIN, and the client has not for
 * --keepalive, the server's end is probed as well: when nobody has that socket any more the kernel in there answers
 * with a reset. keepalive_init() prepares the timer, keepalive_watch() starts it. */
void keepalive_init(struct worker *w);
void keepalive_watch(struct worker *w);
