/* The start of a unit, whose job may go on for long: it waits for other units, or (Notify=healthy) for the container's
 * health check, which Podman looks at by itself only twice a minute, say. So after a while what it waits for is told, and
 * Podman is asked to look. */
#pragma once

#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"

/* As unit_start(), until engine->deadline. */
int start_job(struct unit *u, const struct unit_view *before, struct engine *e, const struct options *o,
	      struct error *err);
