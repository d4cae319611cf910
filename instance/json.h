/* An instance as JSON. */
#pragma once

#include "instance/instance.h"

/* One line of JSON without a newline; malloc()ed. NULL on out of memory. */
char *instance_to_json(const struct instance *i);

/* Reads and validates JSON, including that of the original tool (only its four keys: `legacy`). A value of the wrong
 * type is an error. The caller clears *ret, also after an error. */
int instance_from_json(const char *json, struct instance *ret, struct error *err);
