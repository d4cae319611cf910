/* Unit files of others that ours hide, because they have the same name and the manager reads ours first
 * (systemd.unit(5), "Unit File Load Path"): `systemctl restart memcached` then restarts an instance called memcached
 * instead of the package's service. The manager refuses nothing here; such a file may come at any time. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "instance/instance.h"
#include "units/manager.h"

/* Finds a file of a directory that comes after `directory`, our own, in the manager's order, and that has the name of a
 * unit of the instance: its path; "" if there is none. `list` has n items, and *ret gets as many. */
struct hidden {
	char path[PATH_MAX];
};
int hidden_find(struct manager *m, const char *directory, const struct instance *const *list, size_t n,
		struct hidden *ret, struct error *err);
