/* Which other containers of its compose project or pod a container needs. Pure functions of what the engine says;
 * labels are not trusted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "backends/backend.h"
#include "instance/instance.h"

/* More containers of one project are not looked at. */
#define PROJECT_MAX 64

/* Does it belong to a compose project or a pod? */
bool project_exists(const struct container *c);

/* Is `other` another container of the same project, or else pod? Those that `compose run` made once, and the infra
 * container of a pod, do not count. */
bool project_includes(const struct container *c, const struct container *other);

struct project_dependency {
	const struct container *container;
	bool healthy; /* its HEALTHCHECK decides when it is ready */
};

/* Those of `others`, all of the project of `own`, that have to run before it, in order: what depends_on of the compose
 * file says (com.docker.compose.depends_on), else all of them as they were created. */
int project_order(const struct container *own, const struct container *others, size_t n,
		  struct project_dependency ret[static INSTANCE_DEPENDENCIES_MAX], size_t *ret_n, struct error *err);
