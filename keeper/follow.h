/* A container that ends while it is in use. */
#pragma once

#include "keeper/state.h"

/* To be called when the container may have ended. True if it must be woken, or served, once more: it was restarted, or
 * a client is waiting again. */
bool follow_stage(struct keeper *k);
