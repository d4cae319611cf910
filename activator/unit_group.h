/* The control group of a unit. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "activator/unit.h"

/* Is the process, or its parent, in the unit's control group or below it? The parent of a container's first process is its
 * conmon, which with --cgroups=no-conmon is there alone. proc: "/proc". */
bool unit_group_has(struct unit *u, const char *unit, const char *proc, pid_t pid);
