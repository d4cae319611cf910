/* Which instances have an engine, or containers, in common. */
#pragma once

#include "instance/instance.h"
#include "units/store.h"

/* Paths that lead to the same socket are the same engine. */
bool instances_share_engine(const struct instance *a, const struct instance *b);

/* Has another instance of `all`, at the same engine, this container as its own or by --with? */
bool container_is_shared(const struct instance *i, const char *container, const struct stored_list *all);
