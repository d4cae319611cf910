/* The remains of killed commands. A half-made change of the unit directory is still listed, as its NAME.socket comes
 * first and goes last; files without one belong to no instance. */
#pragma once

#include <stddef.h>

#include "instance/scope.h"

/* Removes them. Returns the number of files and links, without temporary files. The caller holds the lock of the
 * directory, so no change is in progress. A file that cannot be removed stays. */
size_t units_sweep(enum scope scope, const char *directory);
