/* The socket of the system's engine. */
#pragma once

#include "common/error.h"

/* Returns a connected socket; flags: SOCK_NONBLOCK, or 0. Code EAGAIN: its queue is full, and the socket does not block. */
int system_engine_connect(const char *path, int flags, struct error *err);
