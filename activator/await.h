/* Waits for the server of a dependency. */
#pragma once

#include <stdint.h>

#include "activator/options.h"

/* Waits until the health check (in the proxy's notation) of the server on this port succeeds in the network namespace
 * of the process of pidfd. Fails at the deadline (CLOCK_MONOTONIC microseconds) or when that process ends. Port 0: the
 * check is a command that needs no port. Meanwhile tells the keeper what this dependency, `container`, waits for. */
int await_ready(const struct options *o, const char *container, uint16_t port, const char *health_check, int pidfd,
		uint64_t deadline, struct error *err);
