/* Where an instance is to listen: can it? */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "instance/instance.h"

/* Refuses an address that is in use, by whom is told, or that this user may not listen on. */
int listen_check_address(const struct publish *p, struct error *err);

/* Why the manager cannot open the instance's socket just now. False: nothing is in its way. */
bool listen_check_describe_obstacle(const struct instance *i, char *ret, size_t size);
