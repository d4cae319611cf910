/* Connects an accepted client to the target: the addresses in order, the one that answered last first, again and again
 * until the start-up deadline. A client that is not connected --startup-timeout after it came is reset. It is not read
 * before its target is connected, so nothing is ever sent twice. */
#pragma once

#include "relay/worker.h"

void connect_init(struct worker *w);

/* Begins, or goes on with, connecting. */
void connect_target(struct worker *w, struct connection *c);
