/* Who may wake the container. */
#pragma once

#include "keeper/state.h"

/* Does anybody wait who may wake the container? Whoever waits and may not is reset. */
bool keeper_is_wanted(struct keeper *k);

/* Is there anybody who may wake the container? The answer is yes as soon as there is, no after KEEPER_SHORTEST_LIFE. */
bool admit_stage(struct keeper *k);
