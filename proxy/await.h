/* The proxy with --await: only a readiness check. */
#pragma once

#include "proxy/options.h"

/* Waits until the server on config->await_port of this network namespace is ready, as readiness_wait(). The activator
 * uses it for an instance's dependencies. */
int await_server(const struct proxy_options *options, struct error *err);
