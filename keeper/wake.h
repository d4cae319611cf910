/* Starting the container. */
#pragma once

#include "keeper/state.h"

/* Returns when the container runs, and k has its pidfd and its locks. */
int wake_stage(struct keeper *k, struct error *err);
