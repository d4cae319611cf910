/* Podman's command, where its service does not listen: a unit's `podman run` needs none. */
#pragma once

#include <stdint.h>

#include "backends/backend.h"

/* Finds a container of this name with `podman ps`, until the deadline (CLOCK_MONOTONIC microseconds), as an engine's list()
 * describes it. Error ENOENT: there is none. The caller clears *ret, also after an error. */
int podman_command_find(const char *name, char **env, uint64_t deadline, struct container *ret, struct error *err);
