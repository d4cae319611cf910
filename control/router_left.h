/* What a router has started and not stopped when it ended: in the file that it keeps for the next one (router/started.h). */
#pragma once

#include <sys/types.h>

typedef void (*router_left_visitor)(void *data, const char *what, uid_t uid, const char *user);

/* what: "docker", "podman", or "manager"; user: their name. */
void router_left_each(router_left_visitor visit, void *data);
