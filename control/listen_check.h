/* Can an instance listen on its addresses? */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "instance/instance.h"

/* Refuses an address that is in use (the error names the user of it), or that is forbidden to this user. */
int listen_check_address(const struct publish *p, struct error *err);

/* Describes an address on which nobody can connect now, because no interface has it: systemd listens there all the same
 * (FreeBind=). False: there is none. */
bool listen_check_describe_absent(const struct instance *i, char *ret, size_t size);

/* Describes why the manager cannot open the instance's socket now. False: there is no obstacle. */
bool listen_check_describe_obstacle(const struct instance *i, char *ret, size_t size);

/* systemd deletes whatever is at the paths of a socket when it stops (RemoveOnStop=), and before it listens there again. Error: a
 * file, or another server's socket, has taken the place of the instance's own. */
int listen_check_files(const struct instance *i, struct error *err);
