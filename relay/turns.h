/* Turns of a connection without an event. */
#pragma once

#include "relay/worker.h"

/* Gives this connection another turn: at once after the other events, or at the next tick of the retry clock. */
void turn_again(struct worker *w, struct connection *c);
void turn_later(struct worker *w, struct connection *c);
