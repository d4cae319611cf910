/* Files of removed instances in the runtime directory. */
#pragma once

#include "instance/scope.h"

/* Removes the locks that no instance in the unit directory needs. They are useless but harmless, so failures are
 * ignored. */
void leftovers_sweep_locks(enum scope scope, const char *directory);
