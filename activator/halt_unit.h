/* Stops the unit of an instance's container, or pauses the container, or says why it stays up. */
#pragma once

#include <stdbool.h>

#include "activator/options.h"
#include "backends/backend.h"
#include "handover/stats.h"

/* As halt_container(), but the caller holds both locks exclusively; lock_fd is the first. */
int halt_unit(const struct options *o, struct engine *e, int lock_fd, const struct stats *stats, bool *ret_asleep,
	      struct error *err);
