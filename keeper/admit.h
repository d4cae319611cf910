/* Which clients may wake the container. */
#pragma once

#include "keeper/state.h"

/* Is a client waiting that may wake the container? Resets the clients that may not. */
bool keeper_is_wanted(struct keeper *k);

/* Waits for a client that may wake the container. True as soon as there is one; false after KEEPER_SHORTEST_LIFE. */
bool admit_stage(struct keeper *k);
