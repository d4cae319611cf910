/* Connects an accepted client to the target. Tries the addresses in order, beginning with the one that answered last,
 * again and again until the deadline of the forward. Resets a client that is not connected --startup-timeout after it
 * arrived. Reads nothing from a client before its target is connected, so nothing is ever sent twice. */
#pragma once

#include "relay/worker.h"

void connect_init(struct worker *w);

/* Begins or continues to connect. */
void connect_target(struct worker *w, struct connection *c);
