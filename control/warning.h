/* What about an observed instance is not as a person would think. */
#pragma once

#include "control/observe.h"

/* What starts the container behind the back of an instance, or has done so, and what was changed since it was created
 * that will keep it from waking; one sentence, "" for nothing. */
#define WARNING_MAX 1024
void warning_find(const struct observation *o, char ret[static WARNING_MAX]);
