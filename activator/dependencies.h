/* The containers that an instance needs besides its own (--with). */
#pragma once

#include "activator/options.h"
#include "backends/backend.h"
#include "handover/stats.h"
#include "lifecycle/lock.h"

/* The options as they would be if the k-th of them were the instance's own container. */
struct options dependency_options(const struct options *o, unsigned k);

/* Brings them up one after the other, each ready before the next, until engine->deadline. Their locks go to locks
 * and belong to the caller, also after an error. stats gets t_dependencies. */
int dependencies_wake(struct engine *engine, const struct options *o, struct stats *stats,
		      struct container_lock locks[static DEPENDENCIES_MAX], struct error *err);
