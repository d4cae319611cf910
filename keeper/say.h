/* What the keeper says to the journal and to the service manager while it waits. */
#pragma once

#include "keeper/state.h"

/* One line in the journal; the same again is said at most once a minute. */
void keeper_say(struct keeper *k, int level, const char *sentence);

/* Asks the service manager for more time, where it might run out; whoever stops the service does not wait for ever. */
void keeper_extend(struct keeper *k);
