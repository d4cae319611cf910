/* What the administrator should know after `sockwake router enable` or `disable`. */
#pragma once

#include "control/router_docker.h"
#include "units/manager.h"

/* Containers that have the socket mounted, and are not allowed to use it. */
void router_note_containers(const struct router_docker *d, const char *allowed);

/* Those that have the one of before. */
void router_note_stale(const struct router_docker *d);

/* Restricted sockets that come to no engine any more. */
void router_note_restricted(struct manager *m);

/* What the router had started, and has not stopped. */
void router_note_left(void);
