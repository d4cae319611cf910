/* Finds the containers of the same compose project or pod that a container needs. Pure functions of the engine's data;
 * labels are not trusted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "backends/backend.h"
#include "instance/instance.h"

/* Further containers of a project are ignored. */
#define PROJECT_MAX 64

/* Does it belong to a compose project or a pod? */
bool project_exists(const struct container *c);

/* Is `other` another container of the same project, or else pod? One-off containers of `compose run`, and a pod's
 * infra container, do not count. */
bool project_includes(const struct container *c, const struct container *other);

struct project_dependency {
	const struct container *container;
	bool healthy;	/* its HEALTHCHECK decides when it is ready */
	bool completed; /* it is a job that has to end with status 0 first */
};

/* Finds the containers of `others` (all of the same project) that must run before `own`, in order: according to
 * depends_on in the compose file (com.docker.compose.depends_on), else all in order of creation. */
int project_order(const struct container *own, const struct container *others, size_t n,
		  struct project_dependency ret[static INSTANCE_DEPENDENCIES_MAX], size_t *ret_n, struct error *err);
