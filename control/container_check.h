/* Obstacles to an instance, or to its sleep, in the container: checked before the instance is created, and while it
 * exists. */
#pragma once

#include "backends/container.h"
#include "instance/instance.h"

/* Refuses a container that could not be put to sleep, or not be woken while the instance listens. `unit` runs it; may
 * be NULL. */
int container_check_fit(const struct instance *i, const char *unit, const struct container *c, struct error *err);

/* Describes how the container's restart policy bypasses the instance. "always" also starts a stopped container;
 * "unless-stopped" does not. False: it does not. */
#define POLICY_MAX 512
bool container_check_describe_policy(const struct instance *i, const struct container *c, char *ret, size_t size);
