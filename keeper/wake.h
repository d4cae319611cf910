/* The start of the container. */
#pragma once

#include "keeper/state.h"

/* Until the container runs, and k has its pidfd and its locks. */
int wake_stage(struct keeper *k, struct error *err);
