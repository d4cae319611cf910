/* The dependencies of an instance (--with). */
#pragma once

#include "activator/options.h"
#include "backends/backend.h"
#include "handover/stats.h"
#include "lifecycle/lock.h"

/* The options as if the k-th dependency were the instance's own container. */
struct options dependency_options(const struct options *o, unsigned k);

/* Brings the dependencies up one after the other, each ready before the next, until engine->deadline. Their locks go
 * to locks and belong to the caller, also after an error. Sets t_dependencies of stats. */
int dependencies_wake(struct engine *engine, const struct options *o, struct stats *stats,
		      struct container_lock locks[static DEPENDENCIES_MAX], struct error *err);
