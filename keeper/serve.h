/* Runs the proxy until nobody uses the container. */
#pragma once

#include "keeper/state.h"

/* Returns when nobody uses the container, it has ended, or the keeper was told to stop. */
int serve_stage(struct keeper *k, struct error *err);
