/* The path of a container's first lock, from the activator's options. */
#pragma once

#include <limits.h>

#include "activator/options.h"
#include "activator/runtime.h"
#include "lifecycle/lock.h"

static inline int lock_path(const struct options *o, const char *engine_socket, char ret[static PATH_MAX],
			    struct error *err)
{
	char name[LOCK_NAME_MAX];

	return runtime_file(o->scope, lock_name(o->backend, engine_socket, o->container, name), ret, err);
}
