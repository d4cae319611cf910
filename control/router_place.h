/* Who listens at a path: the service manager, or a program that has put its own socket there. */
#pragma once

#include <sys/types.h>

enum router_place {
	ROUTER_PLACE_EMPTY,   /* nobody listens there */
	ROUTER_PLACE_HELD,    /* the service manager does, or that cannot be found out */
	ROUTER_PLACE_FOREIGN, /* another program does */
};

/* Connects to nobody: that would start what listens. holder: the process that should have the socket, 1 for systemd. */
enum router_place router_place_look(const char *path, pid_t holder);
