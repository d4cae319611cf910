/* What instances that are gone have left in the runtime directory. */
#pragma once

#include "instance/scope.h"

/* Removes the locks that none of the instances in the unit directory needs. They are no use to anybody, and no harm: what
 * cannot be done about them matters to nobody. */
void leftovers_sweep_locks(enum scope scope, const char *directory);
