/* A container that ends while it is used. */
#pragma once

#include "keeper/state.h"

/* The container may have ended. True when it is to be woken, or served, once more: it was restarted, or somebody waits
 * again. */
bool follow_stage(struct keeper *k);
