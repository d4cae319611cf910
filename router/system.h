/* The worker for the system's engine: has a user of its own, who alone, besides root, may open the engine's socket. */
#pragma once

#include "common/error.h"
#include "router/options.h"

/* Serves the clients that come through this channel, until the dispatcher closes it. */
int system_run(int channel, const struct router_options *options, struct error *err);
