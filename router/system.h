/* The worker for the system's engine: has a user of its own, who alone, besides root, may open the engine's socket. */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* Serves the clients that come through this channel, until the dispatcher closes it. */
int system_run(int channel, const char *engine_socket, uint64_t idle_timeout, struct error *err);
