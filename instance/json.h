/* An instance as JSON. */
#pragma once

#include "instance/instance.h"

/* One line of JSON without a newline; malloc()ed. NULL on out of memory. */
char *instance_to_json(const struct instance *i);

/* Reads JSON back, and validates it; also that of the original tool (its four keys alone: `legacy`). A key with a value
 * of another type than it should have is an error. The caller clears *ret, also after an error. */
int instance_from_json(const char *json, struct instance *ret, struct error *err);
