/* The identity worker: has become the caller, and brings the caller's connections to the caller's own engine. It can do what
 * the caller could do, no more; the caller may also kill it. */
#pragma once

#include "common/error.h"
#include "router/options.h"

/* Serves the clients that come through this channel, until the dispatcher closes it. */
int identity_run(int channel, const struct router_options *options, struct error *err);
