/* `sockwake set`: changes what a person names of instances, and keeps all else. */
#pragma once

#include "control/create_request.h"

/* Changes the instance of a request, a copy of the stored one. */
typedef int (*set_change)(const void *data, struct create_request *r, struct error *err);

/* Changes the named instances (NULL-terminated); NULL: all of the scope. Those that are awake keep their connections: the
 * change counts from their next wake on. Notes changes, and the failures of one of several (note.h). */
int set_instances(enum scope scope, char *const *names, set_change change, const void *data, struct error *err);
