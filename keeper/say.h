/* What the keeper tells the journal, and the service manager while it waits. */
#pragma once

#include "keeper/state.h"

/* Logs one line; logs the same line again at most once a minute. */
void keeper_say(struct keeper *k, int level, const char *sentence);

/* Asks the service manager for more time, at most every KEEPER_PERIOD, and no more KEEPER_PATIENCE after a stop. */
void keeper_extend(struct keeper *k);
