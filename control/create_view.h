/* How much of the host a new instance's container sees. */
#pragma once

#include "control/create_request.h"

/* Refuses a container whose process is not on this machine, and one that sees so much of the host that it can reach
 * the health check (NULL: the default) or the programs. */
int create_view_check(struct engine *e, const struct container *c, const char *health_check, struct error *err);
