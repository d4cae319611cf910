/* A unit that runs a container, as the service manager has loaded it: with all drop-ins. The effect of a .container
 * file is read from the unit, never from the file. */
#pragma once

#include <stdbool.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "units/manager.h"
#include "units/pod_unit.h"

struct container_unit {
	char *unit;		/* X.service */
	char *quadlet;		/* the path of the .container or .kube file; NULL: not a Quadlet */
	char *kube;		/* the path of the Kubernetes file whose pods it runs; NULL: it runs a container */
	char **kube_publish;	/* NULL-terminated: the host ports that this file publishes; NULL: not known */
	char *container;	/* NULL: its command line does not name it */
	char **publish;		/* NULL-terminated: the host ports it publishes, as given to the engine */
	char **labels;		/* NULL-terminated: "sockwake.KEY=VALUE", as given to the engine */
	char **volumes;		/* NULL-terminated: the names of its volumes */
	bool keeps_writes;	/* of its container somewhere: in a volume with a name, or a directory of the host's */
	char *image;		/* as in its .container file and command line; NULL: unknown */
	char *wanted_by;	/* a target that starts it, at boot or at login; NULL for none */
	bool has_hosts_network; /* --network host, its own or its pod's, or hostNetwork: of its Kubernetes file */
	char *network_owner;	/* the container whose network it has; NULL: it has its own */
	char *owner_unit;	/* the Quadlet of that one, after container_unit_find_owner(); NULL: there is none */
	char **owner_publish;	/* NULL-terminated: the host ports that this Quadlet publishes */
	struct pod_unit pod;	/* of which it is a member; pod.unit is NULL if there is none */
	bool replaces_any;	/* it removes whatever has its container's name, and nothing tells whose that is */
	bool waits_for_network; /* it starts after Podman's service that waits for the network, in a user's manager */
};
void container_unit_clear(struct container_unit *r);
#define _cleanup_container_unit_ _cleanup_(container_unit_clear)

/* Code ENOENT: there is no such unit, or it is masked; EINVAL: the manager cannot load it. The caller clears *ret, also
 * after an error. */
int container_unit_read(struct manager *m, const char *unit, struct container_unit *ret, struct error *err);

/* Does its command line run this container? The label PODMAN_SYSTEMD_UNIT alone is not trusted: it may come from the
 * image, and putting the container to sleep stops the unit. */
bool container_unit_runs(const struct container_unit *r, const char *container);

/* Calls a function for the Quadlet of every container. The function may take ownership of *r, and returns whether to go on. */
typedef bool (*container_unit_visitor)(void *data, struct container_unit *r);
int container_unit_each(struct manager *m, container_unit_visitor visit, void *data, struct error *err);

/* Finds the Quadlet of the container whose network it has: that container need not exist while it does not run. */
int container_unit_find_owner(struct manager *m, struct container_unit *r, struct error *err);

/* Finds the Quadlet whose container, file or unit has this name. Code ENOENT: there is none. The caller clears *ret,
 * also after an error. */
int container_unit_find(struct manager *m, const char *name, struct container_unit *ret, struct error *err);
