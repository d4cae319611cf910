/* A control group for the workers of each user, with limits: what one user's workers use costs nobody else's. Only where the
 * service has a group of its own to divide (Delegate=, systemd.resource-control(5)); elsewhere nothing happens. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Moves the dispatcher out of the way: a group that is divided has no processes (cgroups(7)). */
void cell_open(void);

/* Moves a new process into the group of its user, before it becomes that user; with limits, unless it serves all users. */
void cell_enter(uid_t uid, bool limited);

/* Removes the group of a user if it is empty. */
void cell_leave(uid_t uid);
