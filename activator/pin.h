/* Brings a container up and pins the very run of it that was inspected. */
#pragma once

#include <stdbool.h>

#include "activator/options.h"
#include "backends/backend.h"
#include "handover/stats.h"
#include "lifecycle/lock.h"

/* Starts or unpauses the container, unless it runs, and opens a pidfd of its first process, which is certain to be the
 * process of *ret: the same PID and start time were seen before and after it was opened. Returns with the container
 * running, or fails by engine->deadline. *ret_woken: it was us who started or unpaused it. stats gets t_started and
 * t_inspected. That a start was asked for is written into the first lock until it is answered; the second is taken as
 * soon as the container is known. The caller owns *ret_pidfd, and clears *ret, also after an error. */
int pin_container(struct engine *engine, const struct options *o, struct stats *stats, struct container_lock *lock,
		  const char *directory, struct container *ret, int *ret_pidfd, bool *ret_woken, struct error *err);

/* Opens a pidfd of the process of a running container that was just inspected: by a second inspection it is certain to
 * be that. 1: it is pinned; 0: it changed meanwhile; -1: error. */
int pin_inspected(struct engine *engine, const struct options *o, const struct container *c, int *ret_pidfd,
		  struct error *err);
