/* A process that has entered a container's user namespace must not be within reach of the processes there. */
#pragma once

#include "common/error.h"

/* From now on until the next exec, nobody may trace this process or open its files in /proc, except processes with
 * CAP_SYS_PTRACE in the user namespace in which it was started. Call it before leaving that namespace. */
int unreachable_become(struct error *err);

/* Checks that the same holds for this program once the process as it is now executes it. If not, *err says what to do.
 * Does not check a program that cannot be executed at all. */
int unreachable_check(int fd, const char *program, struct error *err);
