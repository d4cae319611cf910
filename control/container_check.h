/* Obstacles to an instance, or to its sleep, in the container: checked before the instance is created, and while it
 * exists. */
#pragma once

#include "backends/container.h"
#include "instance/instance.h"

/* Refuses a container that could not be put to sleep, or not be woken while the instance listens. `unit` runs it; may
 * be NULL. */
int container_check_fit(const struct instance *i, const char *unit, const struct container *c, struct error *err);

/* A port that the engine publishes for c where the instance listens (*ret); NULL: there is none. */
const struct published_port *container_check_taken(const struct instance *i, const struct container *c,
						   const struct publish **ret);

/* Describes how the container's restart policy bypasses the instance: which containers the engine starts at boot. False:
 * it starts none that sleeps. certain: not what depends on the status that the next stop will leave. */
#define POLICY_MAX 512
bool container_check_describe_policy(const struct instance *i, const struct container *c, bool certain, char *ret,
				     size_t size);
