/* Sleeping instances whose container runs: somebody else started it, and no idle timeout runs. */
#pragma once

#include "backends/backend.h"
#include "control/observe.h"

/* Does the container run without the instance, so that the idle timeout must be started? (lifecycle/decide.h) */
bool unattended_is(const struct observation *o);

/* Starts the service of the instance, and with it the idle timeout, without waiting. On failure notes the reason and
 * returns false. */
bool unattended_start(struct manager *m, const struct instance *i);

/* The same for an instance whose service does not run, if the state of its container requires it. True: it did. */
bool unattended_start_if(struct manager *m, const struct instance *i, enum container_state state);
