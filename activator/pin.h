/* Brings a container up and pins exactly the run that was inspected. */
#pragma once

#include <stdbool.h>

#include "activator/options.h"
#include "backends/backend.h"
#include "handover/stats.h"
#include "lifecycle/lock.h"

/* Starts or unpauses the container, unless it runs, and opens a pidfd that certainly belongs to the first process of
 * *ret: PID and start time were the same before and after it was opened. Returns when the container runs, or fails by
 * engine->deadline. *ret_woken: this process has started or unpaused it. Sets t_started and t_inspected of stats. The
 * first lock records a requested start until it is answered; the second lock is taken as soon as the container is
 * known. The caller owns *ret_pidfd, and clears *ret, also after an error. */
int pin_container(struct engine *engine, const struct options *o, struct stats *stats, struct container_lock *lock,
		  const char *directory, struct container *ret, int *ret_pidfd, bool *ret_woken, struct error *err);

/* Starts the container, or unpauses it; one that runs is success. The lock records a requested start until it is
 * answered. Sets *woken if this request has brought it up. EBUSY: its state allows neither. */
int pin_start(struct engine *engine, const struct options *o, int lock_fd, bool *woken, struct error *err);

/* Did the time end during a request that began in its last second? An engine that has answered before is not to blame then;
 * one that has been silent for longer is. `asked`: when the request began, CLOCK_MONOTONIC microseconds. */
bool pin_ran_out(const struct engine *engine, uint64_t asked, const struct error *err);

/* Opens a pidfd of the first process of a running container that was just inspected; a second inspection makes certain
 * that it is this one. 1: it is pinned; 0: it has changed meanwhile; -1: error. */
int pin_inspected(struct engine *engine, const struct options *o, const struct container *c, int *ret_pidfd,
		  struct error *err);
