/* The proxy, until nobody uses the container. */
#pragma once

#include "keeper/state.h"

/* Until nobody uses it, it has ended, or the keeper was told to stop. */
int stage_serve(struct keeper *k, struct error *err);
