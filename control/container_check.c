#include "control/container_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/engine.h"

/* Such a port is free while the container sleeps; when it wakes, the engine listens there too. */
static int refuse_published_listeners(const struct instance *i, const struct container *c, struct error *err)
{
	for (size_t k = 0; k < c->n_ports; k++) {
		struct publish theirs = {.type = c->ports[k].type, .port = c->ports[k].host_port};

		if (theirs.port == 0)
			continue; /* the engine chooses at each start */
		snprintf(theirs.address, sizeof(theirs.address), "%s", c->ports[k].host_address);
		for (size_t m = 0; m < i->n_ports; m++) {
			if (!i->ports[m].path[0] && publish_overlap(&i->ports[m], &theirs))
				return error_set(
					err, EADDRINUSE,
					"the container '%s' publishes port %u itself and could not start while "
					"sockwake listens there: create it without that port, or listen on "
					"another one",
					c->name, theirs.port);
		}
	}
	return 0;
}

int container_check_fit(const struct instance *i, const char *unit, const struct container *c, struct error *err)
{
	if (unit)
		return 0;
	if (c->auto_remove && i->idle_action == IDLE_STOP)
		return error_set(err, EINVAL,
				 "the container '%s' is removed when it stops: create it without --rm (--idle-action "
				 "pause would keep it until the next boot at most)",
				 c->name);
	return refuse_published_listeners(i, c, err);
}

bool container_check_describe_policy(const struct instance *i, const struct container *c, char *ret, size_t size)
{
	if (strcmp(c->restart_policy, "always") != 0)
		return false;
	snprintf(ret, size,
		 "%s starts the container at boot, asleep or not (restart policy 'always'): '%s update --restart=no "
		 "%s' leaves that to the first connection",
		 engine_backend(i->backend)->boot_starter, backend_kind_name(i->backend), i->container_name);
	return true;
}
