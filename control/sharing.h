/* Instances that share an engine or containers. */
#pragma once

#include "instance/instance.h"
#include "units/store.h"

/* Paths to the same socket are the same engine. */
bool instances_share_engine(const struct instance *a, const struct instance *b);

/* Does another instance of `all`, at the same engine, have this container as its own or as a dependency? */
bool container_is_shared(const struct instance *i, const char *container, const struct stored_list *all);

/* Would they have the same sockets? */
bool instances_listen_alike(const struct instance *a, const struct instance *b);
