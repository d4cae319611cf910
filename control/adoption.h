/* A run of `sockwake adopt`: what there is, and what has changed so far. */
#pragma once

#include <limits.h>

#include "control/adopt.h"
#include "units/manager.h"
#include "units/store.h"

struct adoption {
	const struct adopt_request *what;
	char directory[PATH_MAX];
	struct manager *manager;
	struct container_list containers;
	struct stored_list instances; /* in a dry run: as they would be by now */
	struct stored_list freed;     /* in a dry run: those that would be gone by now, or replaced */
	unsigned failed, of;
	bool exchanging; /* what is created now was removed a moment before */
};
void adoption_clear(struct adoption *a);
#define _cleanup_adoption_ _cleanup_(adoption_clear)

/* After a change. A dry run has changed nothing, and keeps its own account (adopt_plan.h). */
int adoption_scan_again(struct adoption *a, struct error *err);

/* Made by adoption, from this engine? */
bool adoption_owns(const struct adoption *a, const struct stored *s);

/* Is the file of this unit gone, for the manager? *ret_runs: the unit still runs. */
int adoption_unit_is_gone(const struct adoption *a, const char *unit, bool *ret, bool *ret_runs, struct error *err);

/* Not in a dry run. */
int adoption_remove(struct adoption *a, const struct stored *s, struct error *err);

/* A failure does not stop the others. */
void adoption_tell(struct adoption *a, const struct error *err);
