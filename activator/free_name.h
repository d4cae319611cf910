/* Nobody else's container has the name that a unit is about to give to its own: so says what Podman has stored, if its
 * place is known from the unit's last run. The place is the content of the unit's lock (lifecycle/lock.h, the second). */
#pragma once

#include <stdbool.h>

#include "activator/conmon.h"
#include "instance/scope.h"

/* Remembers where the Podman of this run keeps its lists. lock_fd: -1 for none; proc: "/proc". */
void free_name_remember(int lock_fd, const struct monitored *m, const char *proc);

/* Is the name surely free? False if that cannot be said, or the configuration of Podman's storage
 * (containers-storage.conf(5)) has been changed since: ask Podman. */
bool free_name_is_sure(int lock_fd, enum scope scope, const char *container);
