/* Commands on several named instances, or --all. */
#pragma once

#include "cli/arguments.h"
#include "units/store.h"

/* The action on one instance; directory has its units. Returns 0, or -1 with *err set. */
typedef int (*instance_action)(const struct arguments *a, const char *directory, const struct stored *s,
			       struct error *err);

/* Acts on each in turn, whether others fail or not. Does nothing if one of them does not exist. First calls begin(), unless
 * that is NULL, for all of them. */
int each_instance(const struct arguments *a, void (*begin)(enum scope scope, const struct stored_list *list),
		  instance_action act, struct error *err);
