/* A sleeping instance whose container, or the unit that makes it, is gone: it cannot wake. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "instance/instance.h"

/* Says what is gone, and how it comes back. missing: the engine has no such container; without_unit: the service manager has
 * no file of its unit. False: nothing is gone that has to be there while it sleeps. */
bool gone_describe(const struct instance *i, bool missing, bool without_unit, char *ret, size_t size);
