/* One instance: everything `sockwake create` was told, and the only thing the unit files are rendered from.
 *
 * It is kept as one line of JSON in both units (X-InstanceConfig=). Keys are the names of the members below in
 * snake_case; name, listen_port, container_port and container_name always exist (the original tool's keys; the ports are
 * those of the first published one). Unknown keys are ignored on reading, so that an older sockwake can list what a newer
 * one made. Durations are stored as a person wrote them ("15min"), validated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/publish.h"
#include "common/scope.h"

enum idle_action { IDLE_STOP, IDLE_PAUSE };

#define INSTANCE_PORTS_MAX 64

struct instance {
	char *name;
	enum scope scope;
	enum backend_kind backend;
	char *container_name;
	char *engine_socket; /* NULL: the backend's default, or what the environment said when it was created */
	char *unit;	     /* NULL, or the unit that runs the container (X.service) */

	struct publish ports[INSTANCE_PORTS_MAX];
	size_t n_ports;
	char **targets; /* NULL-terminated, may be NULL: addresses, or one unix:/path */

	char *startup_timeout; /* "30" */
	char *idle_timeout;    /* "15min" */
	char *health_check;    /* always set: listen, postgres, redis, greeting, http[:PATH], healthy, none, or a command */
	enum idle_action idle_action;
	bool keep_running;
	uint64_t stop_timeout; /* seconds the engine gives the container to stop, as inspected at creation */

	bool notifications;
	char *user;	 /* whom to notify; NULL: nobody */
	bool no_selinux;

	char *keepalive;	  /* NULL: the proxy's default */
	char *connection_timeout; /* NULL: none */
	char *drain_timeout;	  /* NULL: the proxy's default */
	unsigned workers;	  /* 0: the proxy's default */
	char *proxy_protocol;	  /* NULL, "v1" or "v2" */
	bool transparent;
	char **no_wake_from; /* NULL-terminated lists of CIDR, may be NULL */
	char **no_hold_from;

	bool legacy; /* read back from units of the original tool; never written */
};

/* Frees what the members own, and clears them. */
void instance_clear(struct instance *i);

/* Checks every member against the rules of docs/architecture.md. */
int instance_validate(const struct instance *i, struct error *err);

/* One line of JSON without a newline; malloc()ed. NULL on out of memory. */
char *instance_to_json(const struct instance *i);

/* Reads JSON back; also that of the original tool. The caller clears *ret, also after an error. */
int instance_from_json(const char *json, struct instance *ret, struct error *err);
