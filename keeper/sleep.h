/* Putting the container to sleep. */
#pragma once

#include "keeper/state.h"

/* Returns when the container sleeps, or stays up for a good reason. Gives up only if told to stop long ago. */
int sleep_stage(struct keeper *k);
