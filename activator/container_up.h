/* Brings a container up, whether a unit or the engine runs it, and holds it: nobody puts it to sleep while its lock is
 * open. */
#pragma once

#include <stdbool.h>

#include "activator/options.h"
#include "backends/backend.h"
#include "common/cleanup.h"
#include "handover/stats.h"
#include "lifecycle/lock.h"

struct container_up {
	struct container_lock lock; /* shared; released with its last copy */
	int pidfd;		    /* of the container's first process */
	struct container container;
	bool woken; /* this process has started or unpaused it */
	bool own;   /* this or an earlier wake began this run */
};
#define NO_CONTAINER_UP ((struct container_up){.lock = NO_CONTAINER_LOCK, .pidfd = -1})

/* Takes the locks of o->container before the first request, and brings the container up with pin_container() or
 * pin_unit(), until engine->deadline. *ret must be NO_CONTAINER_UP; the caller releases it, also after an error. */
int container_up_bring(struct engine *engine, const struct options *o, struct stats *stats, struct container_up *ret,
		       struct error *err);

void container_up_release(struct container_up *h);
#define _cleanup_container_up_ _cleanup_(container_up_release)
