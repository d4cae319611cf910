/* One change of a unit directory at a time. */
#pragma once

#include "control/install.h"

/* Serialises changes of a unit directory. Makes the directory if it does not exist, and removes the remains of an
 * interrupted change. Waits half a minute at most; then error ETIMEDOUT names the holder. The lock ends with the
 * descriptor (control/units_lock.c). */
int units_lock_take(enum scope scope, const char *directory, int *ret_fd, struct error *err);

/* Is another command changing the units? "sockwake (PID 17)". */
bool units_lock_find_holder(enum scope scope, const char *directory, char *ret, size_t size);
