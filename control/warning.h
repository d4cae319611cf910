/* Warnings about an observed instance. */
#pragma once

#include "control/observe.h"

/* Finds who starts, or has started, the container behind the instance's back, and changes since its creation that
 * prevent it from waking. One sentence; "": none. */
#define WARNING_MAX 1024
void warning_find(const struct observation *o, char ret[static WARNING_MAX]);
