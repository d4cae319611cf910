/* One instance: the options of `sockwake create`, and the only source of the unit files.
 *
 * Its units contain it as one line of JSON (X-InstanceConfig=). Keys are the names of the members below in snake_case;
 * name, listen_port, container_port and container_name always exist (the original tool's keys; the ports are those of
 * the first published one). Reading ignores unknown keys, so that an older sockwake can list a newer one's instances.
 * Durations are stored as written by the user ("15min"), validated.
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

/* A container that must be ready before the instance's own wakes, and that is put to sleep after it (--with). */
struct dependency {
	char *container;
	char *unit;	       /* NULL, or the unit that runs it */
	uint16_t port;	       /* TCP port of its health check; 0: none */
	char *health_check;    /* as the instance's; NULL: ready once it runs */
	uint64_t stop_timeout; /* as the instance's */
};

struct instance {
	char *name;
	enum scope scope;
	enum backend_kind backend;
	char *container_name;
	char *engine_socket; /* NULL: the backend's default, or the environment's at creation */
	char *unit;	     /* NULL, or the unit that runs the container (X.service) */
	bool no_boot;	     /* a drop-in of the unit's Quadlet keeps the container from starting at boot */
	bool drop_publish;   /* … and from publishing the ports on which the instance listens */
	char *drop_in;	     /* path of the drop-in; NULL: none */

	struct dependency dependencies[INSTANCE_DEPENDENCIES_MAX]; /* in the order in which they wake */
	size_t n_dependencies;

	bool made_container; /* create --image made the container, or the Quadlet of `unit`: remove may delete it */
	bool adopted;	     /* made by the container's labels: `sockwake adopt` may change and remove it */

	struct publish ports[INSTANCE_PORTS_MAX];
	size_t n_ports;
	char **targets; /* NULL-terminated, may be NULL: addresses, or one unix:/path */

	char *startup_timeout; /* "30" */
	char *idle_timeout;    /* "15min" */
	char *warm_for;	       /* the same after a busy period; NULL: the same */
	char **schedule;       /* NULL-terminated, may be NULL: when it stays warm (instance/schedule.h) */
	char *health_check; /* always set: listen, postgres, redis, greeting, http[:PATH], healthy, none, or a command */
	enum idle_action idle_action;
	bool keep_running;
	uint64_t stop_timeout; /* seconds that the engine gives the container to stop, as inspected at creation */

	bool notifications;
	char *user; /* the user to notify; NULL: nobody */
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
	char *hold;	    /* NULL, "connections" or "data": what holds it awake */

	char *socket_mode;  /* of listening paths, octal; NULL: "0660" */
	char *socket_group; /* group of listening paths; NULL: the manager's own */

	bool legacy; /* read back from units of the original tool; never written */
};

/* Frees everything that the members own, and clears them. */
void instance_clear(struct instance *i);

#define _cleanup_instance_ _cleanup_(instance_clear)

/* How a server sees clients whose own address is not shown to it. */
enum appearance {
	APPEAR_NOWHERE,	     /* the server has a Unix socket */
	APPEAR_OUTSIDE,	     /* from an address that the server does not take for local (handover/outside.h) */
	APPEAR_LOCAL,	     /* from loopback, as requested: all targets are loopback addresses */
	APPEAR_LOCAL_BEFORE, /* from loopback, although not requested: !outside_source */
};
enum appearance instance_appearance(const struct instance *i);

/* "system", "user"; "docker", "podman"; "stop", "pause". The parsers return -1 for any other word. */
const char *scope_name(enum scope scope);
int scope_from_name(const char *s, enum scope *ret);
const char *backend_kind_name(enum backend_kind kind);
int backend_kind_from_name(const char *s, enum backend_kind *ret);
const char *idle_action_name(enum idle_action action);
int idle_action_from_name(const char *s, enum idle_action *ret);

/* Do they conflict, so that the kernel cannot bind both? Same type and port, and one address includes the other; or the
 * same path. A bare port means all addresses, IPv4 and IPv6. */
bool publish_overlap(const struct publish *a, const struct publish *b);
