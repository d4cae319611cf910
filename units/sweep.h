/* What commands that were killed have left behind. A change of the unit directory is made so that whatever is half done
 * is still listed, as its NAME.socket comes first and goes last; the rest belongs to no instance any more. */
#pragma once

#include <stddef.h>

#include "instance/scope.h"

/* Removes it, and says how many files and links that were (without temporary ones, which meant nothing to anybody). The
 * caller holds the lock of the directory: nobody else is in the middle of a change. What cannot be removed stays. */
size_t units_sweep(enum scope scope, const char *directory);
