/* The proxy with --await: a readiness check and nothing else. */
#pragma once

#include "proxy/options.h"

/* Waits until the server on config->await_port of this network namespace is ready, as readiness_wait(). The activator
 * has it asked so for containers that come before an instance's own. */
int await_server(const struct proxy_options *options, struct error *err);
