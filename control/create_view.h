/* How much of the host the container of a new instance sees. */
#pragma once

#include "control/create_request.h"

/* Refuses a container whose process is not on this machine, and one that sees so much of the host that the health check
 * (NULL: the default) or the programs would be within its reach. */
int create_view_check(struct engine *e, const struct container *c, const char *health_check, struct error *err);
