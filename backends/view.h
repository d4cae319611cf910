/* How much of the host a container sees, as in reply.h: for reach.c and process.c. */
#pragma once

#include <stdbool.h>

#include "backends/backend.h"
#include "backends/json.h"

/* How much of the host the container sees: Mounts, NetworkSettings.SandboxKey, HostConfig's PidMode, CapAdd and
 * Privileged, Podman's EffectiveCaps and BoundingCaps. */
bool reply_view(const cJSON *root, struct container *ret);
