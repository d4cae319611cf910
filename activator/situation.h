/* What is known about a container, for the table (lifecycle/decide.h): what the engine or the service manager says is,
 * and whose run it is by what the lock remembers. */
#pragma once

#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"
#include "common/clock.h"
#include "lifecycle/decide.h"

/* c: NULL for a container that does not exist. lock_fd: -1 where nothing is remembered. */
/* Is a container asked for while it is being made, replaced or removed? The engine then has none, or calls that a failure. */
bool container_is_in_between(const struct error *err);

struct situation situation_of_container(const struct options *o, enum event event, const struct container *c,
					int lock_fd);

/* The same of a container that a unit runs. */
struct situation situation_of_unit(const struct options *o, enum event event, const struct unit_view *v, int lock_fd);

/* Was this run begun by a wake, perhaps one that was killed before it could write down which run it had begun? */
bool container_is_own(const struct container *c, int lock_fd);

/* May its restart policy start it again, now that it has ended? An engine takes less than RESTART_USEC for that. */
#define RESTART_USEC (2 * USEC_PER_SEC)
bool container_may_restart(const struct container *c);

/* Or may somebody be restarting it? What ends because it is told to has the status 0, or 128 and its signal. */
bool container_may_come_back(const struct container *c);

/* What the lock keeps for a unit instead of a container's run: "own INVOCATION" when a wake began it, "found INVOCATION"
 * when a wake found it running. */
void unit_record(int lock_fd, const struct unit_view *v, bool own);
bool unit_is_own(int lock_fd, const struct unit_view *v);
