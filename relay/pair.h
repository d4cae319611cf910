/* Relays between two sockets that are connected already, for programs that choose the target of each connection
 * themselves. */
#pragma once

#include "relay/worker.h"

/* Owns both sockets, which do not block. `owner` is for service.closed, which may be called before this returns. -1, with
 * errno set, if there is no memory; both are closed then, and service.closed does not see this owner. */
int pair_begin(struct worker *w, struct forward *forward, int client, int target, void *owner);
