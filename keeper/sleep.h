/* The end of the container. */
#pragma once

#include "keeper/state.h"

/* Until it sleeps, or goes on with good reason. Gives up only when told to stop long ago. */
int sleep_stage(struct keeper *k);
