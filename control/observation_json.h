/* An observed instance for programs. */
#pragma once

#include <cjson/cJSON.h>

#include "control/observe.h"

/* The instance and its state. NULL: out of memory. The caller deletes it. */
cJSON *observation_to_json(const struct observation *o);
