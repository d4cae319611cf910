/* Moves the system's docker.socket aside, so that the router answers at /run/docker.sock, and back.
 *
 * Apply, one step after the other:
 *
 *	1. the record: what was there before, and that a move has begun
 *	2. systemd-tmpfiles no longer makes /run/docker.sock a link (the package podman-docker)
 *	3. the router's socket is enabled
 *	4. what is at /run/docker.sock gets a second name, and the router's socket is started: systemd puts it in the place
 *	5. `confirm`: may Docker be restarted?
 *	6. the drop-in of docker.socket, which moves it; docker.socket is restarted, and Docker with it
 *	7. the record: done
 *
 * Until step 6 the old socket still works; going back is a rename(2) then. Somebody listens at /run/docker.sock all the
 * time. Revert takes the steps in the opposite order. Both may be repeated after they were broken off anywhere, even by a
 * reboot: whoever is called next has only to call one of them. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "common/error.h"
#include "control/router_place.h"

#define ROUTER_SOCKET		"/run/docker.sock" /* where clients connect */
#define ROUTER_ENGINE_DIRECTORY "/run/sockwake-engine"
#define ROUTER_ENGINE_SOCKET	ROUTER_ENGINE_DIRECTORY "/docker.sock" /* where docker.socket is moved to */
#define ROUTER_KEPT_SOCKET	"/run/.docker.sock.sockwake"	       /* the second name */

#define ROUTER_SOCKET_UNIT  "sockwake-router.socket"
#define ROUTER_SERVICE_UNIT "sockwake-router.service"
#define DOCKER_SOCKET_UNIT  "docker.socket"
#define DOCKER_SERVICE_UNIT "docker.service"

/* What is asked of the service manager. */
struct router_units {
	int (*reload)(void *data, struct error *err);
	int (*start)(void *data, const char *unit, struct error *err);
	int (*stop)(void *data, const char *unit, struct error *err);
	int (*restart)(void *data, const char *unit, struct error *err);
	bool (*is_active)(void *data, const char *unit);
	enum router_place (*look)(void *data, const char *path); /* who listens there */
	void *data;
};

struct router_move {
	const char *root;      /* before each path: "" */
	const char *unit_file; /* of the router's socket */
	const char *others;    /* lines for the drop-in: where docker.socket listens besides */
	const struct router_units *units;
	int (*confirm)(void *data, const char *docker_socket, struct error *err);
	void *data;  /* of confirm */
	bool undoes; /* a revert that has failed: it stays one that was broken off, until all is done */
};

enum router_progress {
	ROUTER_OFF,
	ROUTER_ENABLING, /* now, or it was broken off */
	ROUTER_ON,
	ROUTER_DISABLING,
};

enum router_progress router_move_progress(const struct router_move *m);

/* After a failure some steps may be done: call the other one. */
int router_move_apply(const struct router_move *m, struct error *err);
int router_move_revert(const struct router_move *m, struct error *err);

/* Is what was at /run/docker.sock before still there under its second name? Then Docker has not been restarted. */
bool router_move_is_reversible(const struct router_move *m);

/* Where Docker listens now; NULL: nowhere that could be found. router_listens: is the router's socket open? place: who is at
 * ROUTER_SOCKET? */
const char *router_move_docker_socket(const struct router_move *m, bool router_listens, enum router_place place);

/* Does systemd-tmpfiles make /run/docker.sock a link here? */
bool router_move_meets_podman_docker(const struct router_move *m);
