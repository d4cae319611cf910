/* Runs a health check's command as an ordinary process of the container: the engine does not count the result. Both
 * engines have the same three requests for it (Docker's ContainerExec, ContainerExecStart, ContainerExecInspect). */
#pragma once

#include "backends/backend.h"

/* Runs c->health_test, which must not be NULL, and waits for its end, until engine->deadline. *ret is HEALTH_HEALTHY
 * or HEALTH_STARTING. EINVAL: only the engine itself can run this kind of check. */
int exec_health_test(struct engine *e, const struct container *c, enum health *ret, struct error *err);
