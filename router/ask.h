/* One small question to an engine, over a connection of its own. Blocks, for two seconds at most. */
#pragma once

#include <stddef.h>

#include "common/error.h"

/* The body of the answer to GET PATH with status 200, as far as it fits. fd: a connected socket; the caller closes it. */
int ask_engine(int fd, const char *path, char *ret, size_t size, struct error *err);
