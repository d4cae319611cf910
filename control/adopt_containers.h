/* The containers for `sockwake adopt`: those of an engine, and those that Quadlets would make. */
#pragma once

#include "backends/container.h"
#include "instance/instance.h"
#include "units/manager.h"

/* Lists all containers of the engine of `base`, by name: of two that ask for the same the first gets it, each time. A
 * Quadlet without a container, because its unit does not run, counts as its future container: without an identifier.
 * The caller clears *ret, also after an error. */
int adopt_list_containers(const struct instance *base, struct manager *m, struct container_list *ret,
			  struct error *err);

/* The container of that name; NULL: none. */
struct container *adopt_find_container(const struct container_list *list, const char *name);
