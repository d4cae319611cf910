/* The policy worker: brings callers to the system's engine under the rules of its configuration (rules/rules.h), as a user of
 * its own, who alone, besides root, may open the engine's socket. Each connection has a process: what one client sends is not
 * seen by the code that serves another. */
#pragma once

#include "common/error.h"
#include "router/options.h"

/* Serves the clients that come through this channel, until the dispatcher closes it. */
int policy_run(int channel, const struct router_options *options, struct error *err);
