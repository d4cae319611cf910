/* A health check's command, run as a process of its own in the container: the engine does not count how it ends. Both
 * engines have the same three requests for it (Docker's ContainerExec, ContainerExecStart, ContainerExecInspect). */
#pragma once

#include "backends/backend.h"

/* Runs c->health_test, which is not NULL, and waits for its end, until engine->deadline. HEALTH_HEALTHY or
 * HEALTH_STARTING. EINVAL: it is of a kind that only the engine itself knows how to run. */
int exec_health_test(struct engine *e, const struct container *c, enum health *ret, struct error *err);
