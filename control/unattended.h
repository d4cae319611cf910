/* Instances that sleep while their container runs: somebody else started it, and nobody's idle clock runs. */
#pragma once

#include "backends/backend.h"
#include "control/observe.h"

/* Does the container run although nobody woke it, so that its idle clock is to be started? (lifecycle/decide.h) */
bool unattended_is(const struct observation *o);

/* Starts the service of the instance, which nobody waits for, and with it the idle clock. Notes why it cannot, and returns
 * false then. */
bool unattended_start(struct manager *m, const struct instance *i);

/* The same for an instance whose service does not run, where the state of its container asks for it. True when it did. */
bool unattended_start_if(struct manager *m, const struct instance *i, enum container_state state);
