/* A dependency that is a job (--with-health-check completed): it has to end with status 0 before the next container
 * starts, as a compose file's service_completed_successfully demands.
 *
 * A job runs at every wake. It does not run again
 *
 *	- as long as any instance is awake that needed it: its lock records the run until all of them sleep;
 *	- if the instance's own container is up already, and has been started after the job: `compose up` ran both.
 *
 * A job that runs already, whoever has started it, is awaited. Nobody puts a job to sleep: it may be in the middle of
 * a migration. If it outlasts the wake, the next wake finds it running, or ended.
 */
#pragma once

#include "activator/container_up.h"
#include "activator/options.h"
#include "backends/backend.h"

/* Runs the job of `view` (dependency_options()) for the instance of `own`, until engine->deadline. ret->lock and
 * ret->container are set; ret->woken: it has run for this wake. The caller releases *ret, also after an error. */
int job_complete(struct engine *engine, const struct options *own, const struct options *view, struct container_up *ret,
		 struct error *err);
