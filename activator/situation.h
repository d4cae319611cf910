/* The situation of a container, for the table (lifecycle/decide.h): its condition according to the engine or the
 * service manager, and the origin of its run according to the lock. */
#pragma once

#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"
#include "common/clock.h"
#include "lifecycle/decide.h"

/* Does the error come from a container that is just being created, replaced or removed? The engine then has none, or
 * reports a failure. */
bool container_is_in_between(const struct error *err);

/* c: NULL for a container that does not exist. lock_fd: -1 if nothing is remembered. */
struct situation situation_of_container(const struct options *o, enum event event, const struct container *c,
					int lock_fd);

/* The same for a container unit. */
struct situation situation_of_unit(const struct options *o, enum event event, const struct unit_view *v, int lock_fd);

/* Did a wake begin this run? Perhaps one that was killed before it could record the run. */
bool container_is_own(const struct container *c, int lock_fd);

/* May its restart policy start it again, now that it has ended? An engine takes less than RESTART_USEC for that. */
#define RESTART_USEC (2 * USEC_PER_SEC)
bool container_may_restart(const struct container *c);

/* The same, or may somebody be restarting it? A process that was told to end has status 0, or 128 plus the signal. */
bool container_may_come_back(const struct container *c);

/* For a unit, the lock records its invocation instead of a container's run: "own INVOCATION" if a wake began it,
 * "found INVOCATION" if a wake found it running. */
void unit_record(int lock_fd, const struct unit_view *v, bool own);
bool unit_is_own(int lock_fd, const struct unit_view *v);
