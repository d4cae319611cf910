/* Some instances, observed together with those that may share their containers. */
#pragma once

#include "control/observe.h"

/* Like observe(), for some instances of this directory: *ret has an item for each of `some`. Also observes the other instances
 * of the directory at the same engines, which may keep their containers running. */
int observe_some(enum scope scope, const char *directory, const struct stored_list *some, struct observation **ret,
		 struct error *ret_trouble, struct error *err);
