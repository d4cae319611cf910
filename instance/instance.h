/* One instance: everything `sockwake create` was told, and the only thing the unit files are rendered from.
 *
 * It is kept as one line of JSON in its units (X-InstanceConfig=). Keys are the names of the members below in
 * snake_case; name, listen_port, container_port and container_name always exist (the original tool's keys; the ports
 * are those of the first published one). Unknown keys are ignored on reading, so that an older sockwake can list what a
 * newer one made. Durations are stored as a person wrote them ("15min"), validated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "instance/publish.h"
#include "instance/scope.h"

enum idle_action { IDLE_STOP, IDLE_PAUSE };

#define INSTANCE_PORTS_MAX	  64
#define INSTANCE_LIST_MAX	  64   /* entries of targets, no_wake_from, … */
#define INSTANCE_TEXT_MAX	  4096 /* bytes of a health check command */
#define INSTANCE_DEPENDENCIES_MAX 16
#define INSTANCE_JSON_MAX	  (256U << 10)

/* A container that has to be ready before the instance's own is woken, and is put to sleep after it (--with). */
struct dependency {
	char *container;
	char *unit;	       /* NULL, or the unit that runs it */
	uint16_t port;	       /* TCP, that of its health check; 0: none */
	char *health_check;    /* as the instance's; NULL: it is ready when it runs */
	uint64_t stop_timeout; /* as the instance's */
};

struct instance {
	char *name;
	enum scope scope;
	enum backend_kind backend;
	char *container_name;
	char *engine_socket; /* NULL: the backend's default, or what the environment said when it was created */
	char *unit;	     /* NULL, or the unit that runs the container (X.service) */
	bool no_boot;	     /* the drop-in of the unit's Quadlet keeps it out of the boot */
	bool drop_publish;   /* … and from publishing the ports that the instance listens on */
	char *drop_in;	     /* its path; NULL when there is none */

	struct dependency dependencies[INSTANCE_DEPENDENCIES_MAX]; /* in the order in which they are woken */
	size_t n_dependencies;

	bool made_container; /* create --image made the container, or the Quadlet of `unit`: remove may take it away */
	bool adopted;	     /* the container's labels made it: `sockwake adopt` may change and remove it */

	struct publish ports[INSTANCE_PORTS_MAX];
	size_t n_ports;
	char **targets; /* NULL-terminated, may be NULL: addresses, or one unix:/path */

	char *startup_timeout; /* "30" */
	char *idle_timeout;    /* "15min" */
	char *warm_for;	       /* the same after a busy period; NULL: no longer */
	char **schedule;       /* NULL-terminated, may be NULL: when it is kept warm (instance/schedule.h) */
	char *health_check; /* always set: listen, postgres, redis, greeting, http[:PATH], healthy, none, or a command */
	enum idle_action idle_action;
	bool keep_running;
	uint64_t stop_timeout; /* seconds the engine gives the container to stop, as inspected at creation */

	bool notifications;
	char *user; /* whom to notify; NULL: nobody */
	bool no_selinux;

	char *keepalive;	  /* NULL: the proxy's default */
	char *connection_timeout; /* NULL: none */
	char *flow_timeout;	  /* NULL: the proxy's default */
	char *drain_timeout;	  /* NULL: the proxy's default */
	unsigned workers;	  /* 0: the proxy's default */
	char *proxy_protocol;	  /* NULL, "v1" or "v2" */
	bool transparent;
	bool outside_source; /* a server that cannot see the client's own address sees an outsider's; false: made by a
			      * version that connected from loopback, and not refreshed since */
	char **no_wake_from; /* NULL-terminated lists of CIDR, may be NULL */
	char **no_hold_from;
	char **ignore_from; /* both */
	char *hold;	    /* NULL, "connections" or "data": what keeps it awake */

	char *socket_mode;  /* of listening paths, octal; NULL: "0660" */
	char *socket_group; /* the group of listening paths; NULL: the manager's own */

	bool legacy; /* read back from units of the original tool; never written */
};

/* Frees what the members own, and clears them. */
void instance_clear(struct instance *i);

#define _cleanup_instance_ _cleanup_(instance_clear)

/* How the server sees clients whose own address it is not shown. */
enum appearance {
	APPEAR_NOWHERE,	     /* it has a Unix socket */
	APPEAR_OUTSIDE,	     /* as nobody it would hold for local (handover/outside.h) */
	APPEAR_LOCAL,	     /* as the targets ask for, which are all of loopback */
	APPEAR_LOCAL_BEFORE, /* without having been asked for: !outside_source */
};
enum appearance instance_appearance(const struct instance *i);

/* "system", "user"; "docker", "podman"; "stop", "pause". The parsers return -1 for another word. */
const char *scope_name(enum scope scope);
int scope_from_name(const char *s, enum scope *ret);
const char *backend_kind_name(enum backend_kind kind);
int backend_kind_from_name(const char *s, enum backend_kind *ret);
const char *idle_action_name(enum idle_action action);
int idle_action_from_name(const char *s, enum idle_action *ret);

/* Can the kernel not bind both at once? The same type and port, with addresses of which one includes the other; or the
 * same path. A bare port means all addresses, IPv4 and IPv6. */
bool publish_overlap(const struct publish *a, const struct publish *b);
