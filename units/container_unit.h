/* A unit that runs a container, as its service manager has loaded it: with every drop-in, whoever wrote it. What
 * Quadlet made of a .container file is read from the unit, never from the file. */
#pragma once

#include <stdbool.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "units/manager.h"

struct container_unit {
	char *unit;		/* X.service */
	char *quadlet;		/* the path of the .container file; NULL: it is no Quadlet */
	char *container;	/* NULL: its command line does not tell */
	char **publish;		/* NULL-terminated: the ports of the host it publishes, as given to the engine */
	char **labels;		/* NULL-terminated: "sockwake.KEY=VALUE", as given to the engine */
	char **volumes;		/* NULL-terminated: the names of volumes that it mounts */
	char *image;		/* as its .container file calls it and its command line has it; NULL: not known */
	char *wanted_by;	/* a target that starts it, at boot or at login; NULL for none */
	bool waits_for_network; /* it starts after Podman's service that waits for the network, in a user's manager */
};
void container_unit_clear(struct container_unit *r);
#define _cleanup_container_unit_ _cleanup_(container_unit_clear)

/* Code ENOENT: there is no such unit, or it is masked; EINVAL: the manager cannot load it. The caller clears *ret, also
 * after an error. */
int container_unit_read(struct manager *m, const char *unit, struct container_unit *ret, struct error *err);

/* Does its command line run this container? A label alone, PODMAN_SYSTEMD_UNIT, says little: whoever made the image may
 * have written it, and putting the container to sleep stops the unit. */
bool container_unit_runs(const struct container_unit *r, const char *container);

/* Shows every Quadlet that there is to a function, which may take over what it is shown, and says whether to go on. */
typedef bool (*container_unit_visitor)(void *data, struct container_unit *r);
int container_unit_each(struct manager *m, container_unit_visitor visit, void *data, struct error *err);

/* The Quadlet whose container, file or unit is called so. Code ENOENT: there is none. The caller clears *ret, also
 * after an error. */
int container_unit_find(struct manager *m, const char *name, struct container_unit *ret, struct error *err);
