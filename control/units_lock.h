/* One change of a unit directory at a time. */
#pragma once

#include "control/install.h"

/* Serialises changes of a unit directory, which is made where it does not exist, and clears away what an interrupted one
 * has left there. Waits for half a minute at most; then error ETIMEDOUT names who holds it. The lock ends with the
 * descriptor (control/units_lock.c). */
int units_lock_take(enum scope scope, const char *directory, int *ret_fd, struct error *err);
