/* Waits for a server that is not the instance's own. */
#pragma once

#include <stdint.h>

#include "activator/options.h"

/* Waits until the health check (as the proxy takes it) of the server on this port succeeds in the network namespace of
 * the process of pidfd, until the deadline (CLOCK_MONOTONIC microseconds) or the end of that process. Port 0: the check
 * is a command that needs none. */
int await_ready(const struct options *o, uint16_t port, const char *health_check, int pidfd, uint64_t deadline,
		struct error *err);
