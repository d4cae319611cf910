/* One instance, observed together with those that share its container. */
#pragma once

#include "control/observe.h"

/* Like observe(), for one instance of this directory: *ret is one item. Also observes other instances of the directory
 * that may keep its container running. */
int observe_one(enum scope scope, const char *directory, const struct stored *s, struct observation **ret,
		struct error *ret_trouble, struct error *err);
