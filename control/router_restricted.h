/* Restricted sockets: sockwake-router@NAME.socket, each under the rules of its own configuration. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "units/manager.h"

struct router_restricted {
	char name[128];
	char unit[192], socket[192], config[192];
	bool listens, has_failed;
	char trouble[1024]; /* what is wrong with its configuration; "": nothing, or this user may not read it */
};

/* Those that are configured, or enabled; *ret is malloc()ed. */
int router_restricted_find(struct manager *m, struct router_restricted **ret, size_t *ret_n, struct error *err);
