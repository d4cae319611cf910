/* Engines: where they are, and connections to them. */
#pragma once

#include "backends/backend.h"

/* The table of this kind of engine. */
const struct backend *engine_backend(enum backend_kind kind);

/* The one that somebody may have meant who named none. */
const struct backend *engine_other(enum backend_kind kind);

/* The path of the engine's socket. The first of these that is set, without falling back to the next: `path` (from
 * --engine-socket, may be NULL or ""); DOCKER_HOST or CONTAINER_HOST, by kind, which must be unix:///PATH; the default:
 *
 *	Docker	system scope /run/docker.sock,		user scope $XDG_RUNTIME_DIR/docker.sock
 *	Podman	system scope /run/podman/podman.sock,	user scope $XDG_RUNTIME_DIR/podman/podman.sock
 *
 * /run/user/UID replaces an unset XDG_RUNTIME_DIR. The socket need not exist. Sources: docker(1) and podman(1),
 * "Environment"; docs.docker.com/engine/security/rootless. */
#define ENGINE_SOCKET_MAX sizeof(((struct engine *)0)->socket)
int engine_find_socket(enum backend_kind kind, enum scope scope, const char *path, char ret[static ENGINE_SOCKET_MAX],
		       struct error *err);

/* Can a service of this scope use the socket, and enter the containers behind it? EPERM: a system service has no
 * capability to connect to a user's socket, nor would a user's container belong to it; a user's service cannot enter
 * containers of root's, even if the user may start them (group docker). A missing socket passes. */
int engine_check_socket(enum scope scope, const char *socket, struct error *err);

/* Finds the socket as above; the first request connects to it. *ret belongs to the caller. */
int engine_open(enum backend_kind kind, enum scope scope, const char *path, struct engine **ret, struct error *err);

/* Closes the connection. *e may be NULL, and is NULL afterwards. */
void engine_close(struct engine **e);

#define _cleanup_engine_ _cleanup_(engine_close)
