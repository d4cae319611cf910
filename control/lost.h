/* Data that is lost with a Quadlet's container: notes of `sockwake create --image`. */
#pragma once

#include "backends/container.h"
#include "control/create_request.h"

/* Notes that a Quadlet's container without a volume loses its data when it sleeps. */
void lost_note_writes(const struct create_request *r);

/* Notes volumes of the replaced Quadlet `before` that the new one at `path` does not mount at the same place. */
void lost_note_volumes(const struct create_request *r, const char *before, const char *path);

/* The same for the replaced container `before`, as inspect() described it. Its unnamed volumes stay unnamed. */
void lost_note_mounts(const struct create_request *r, const struct container *before);
