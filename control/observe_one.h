/* One instance, seen beside those that have the same container. */
#pragma once

#include "control/observe.h"

/* As observe() for one instance of this directory: *ret is one item. Others of the directory are looked at as well where
 * they may keep its container running. */
int observe_one(enum scope scope, const char *directory, const struct stored *s, struct observation **ret,
		struct error *ret_trouble, struct error *err);
