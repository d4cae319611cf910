/* Can an instance listen on its addresses? */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "instance/instance.h"

/* Refuses an address that is in use (the error names the user of it), or that is forbidden to this user. */
int listen_check_address(const struct publish *p, struct error *err);

/* Describes why the manager cannot open the instance's socket now. False: there is no obstacle. */
bool listen_check_describe_obstacle(const struct instance *i, char *ret, size_t size);
