/* What about a container is in the way of an instance, or of its sleep: before it is created, and while there is one. */
#pragma once

#include "backends/container.h"
#include "instance/instance.h"

/* Refuses a container that could not be put to sleep, or not be woken while the instance listens; `unit` runs it, or
 * NULL. */
int container_check_fit(const struct instance *i, const char *unit, const struct container *c, struct error *err);

/* What the restart policy of the container does behind the instance's back. "always" starts also what was stopped;
 * "unless-stopped" remembers that it was. False: nothing. */
#define POLICY_MAX 512
bool container_check_describe_policy(const struct instance *i, const struct container *c, char *ret, size_t size);
