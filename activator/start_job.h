/* Starts a unit, whose job may take long: it waits for other units, or (Notify=healthy) for the container's health
 * check, which Podman itself may run only twice a minute. So after a while this says what the job waits for, and makes
 * Podman run the check. */
#pragma once

#include "activator/options.h"
#include "activator/unit.h"
#include "activator/unit_needs.h"
#include "backends/backend.h"
#include "lifecycle/lock.h"

/* As unit_start(), until engine->deadline. Records in the lock, before it asks for the start, that the run is ours. EEXIST:
 * a container or a pod that the unit, or one of those that it brings up (needs), would remove is somebody else's; nothing is
 * started. */
int start_job(struct unit *u, const struct unit_view *before, struct engine *e, const struct options *o,
	      const struct needs *needs, const struct container_lock *lock, struct error *err);
