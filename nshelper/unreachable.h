/* What has entered a container's user namespace must not be within reach of the processes there. */
#pragma once

#include "common/error.h"

/* From now on until the next exec nobody may trace this process or open anything of its /proc, but those with
 * CAP_SYS_PTRACE in the user namespace in which it was started: to be called before that is left. */
int unreachable_become(struct error *err);

/* Will the same be true of this program, once the process as it is now executes it? Says no with what to do. A program
 * that cannot be executed at all is not checked here. */
int unreachable_check(int fd, const char *program, struct error *err);
