/* Instances that sleep while their container runs: somebody else started it, and nobody's idle clock runs. */
#pragma once

#include "backends/backend.h"
#include "cli/observe.h"

/* Does the container run although nobody woke it, so that its idle clock is to be started? (lifecycle/decide.h) */
bool is_unattended(const struct observation *o);

/* The same for an instance whose service does not run, by the state of its container; starts its service, which nobody
 * waits for. True when it did. */
bool attend(struct manager *m, const struct instance *i, enum container_state state);
