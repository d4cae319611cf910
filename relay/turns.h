/* Turns of connections beside those that an event gives them. */
#pragma once

#include "relay/worker.h"

/* Another turn for this connection: at once after the other events, or at the next tick of the retry clock. */
void turn_again(struct worker *w, struct connection *c);
void turn_later(struct worker *w, struct connection *c);
