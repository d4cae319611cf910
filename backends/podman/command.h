/* Podman's command, where its service does not listen: a unit's `podman run` needs none. */
#pragma once

#include <stdint.h>

#include "backends/backend.h"

/* Lists the containers of this name, or of the pod of this name, with `podman ps`, until the deadline (CLOCK_MONOTONIC
 * microseconds), as an engine's list(). The caller clears *ret, also after an error. */
int podman_command_list(const char *name, bool is_pod, char **env, uint64_t deadline, struct container_list *ret,
			struct error *err);
