/* What `sockwake adopt` looks at: the containers of an engine, and those that Quadlets would make. */
#pragma once

#include "backends/container.h"
#include "instance/instance.h"
#include "units/manager.h"

/* All of the engine of `base`. A Quadlet whose container is not there, because its unit does not run, counts as the container
 * that it would be: without an identifier. The caller clears *ret, also after an error. */
int adopt_list_containers(const struct instance *base, struct manager *m, struct container_list *ret,
			  struct error *err);

/* The one of that name; NULL for none. */
struct container *adopt_find_container(const struct container_list *list, const char *name);
