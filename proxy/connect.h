/* Connects an accepted client to the target: the addresses in order, the one that answered last first, again and again
 * until the start-up deadline. The client is not read before its target is connected, so nothing is ever sent twice. */
#pragma once

#include "proxy/worker.h"

/* Begins, or goes on with, connecting. */
void connect_target(struct worker *w, struct connection *c);
