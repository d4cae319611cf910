#include "control/container_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/engine.h"

const struct published_port *container_check_taken(const struct instance *i, const struct container *c,
						   const struct publish **ret)
{
	for (size_t k = 0; k < c->n_ports; k++) {
		struct publish theirs = {.type = c->ports[k].type, .port = c->ports[k].host_port};

		if (theirs.port == 0)
			continue; /* the engine chooses at each start */
		snprintf(theirs.address, sizeof(theirs.address), "%s", c->ports[k].host_address);
		for (size_t m = 0; m < i->n_ports; m++) {
			if (!i->ports[m].path[0] && publish_overlap(&i->ports[m], &theirs)) {
				*ret = &i->ports[m];
				return &c->ports[k];
			}
		}
	}
	return NULL;
}

/* Such a port is free while the container sleeps; when it wakes, the engine listens there too. */
static int refuse_published_listeners(const struct instance *i, const struct container *c, struct error *err)
{
	const struct publish *ours;
	const struct published_port *p = container_check_taken(i, c, &ours);

	if (!p)
		return 0;
	return error_set(
		err, EADDRINUSE,
		"the container '%s' publishes port %u itself and could not start while sockwake listens there: "
		"create it without that port, or listen on another one",
		c->name, p->host_port);
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

/* When does the engine start a sleeping container at boot? NULL: never. A container that was stopped on request is left
 * alone under "unless-stopped", and under "on-failure" if its status is 0. */
static const char *find_boot(const struct instance *i, const struct container *c, bool certain)
{
	bool fails = strncmp(c->restart_policy, "on-failure", strlen("on-failure")) == 0;
	bool ended = c->state == CONTAINER_EXITED;

	if (strcmp(c->restart_policy, "always") == 0)
		return "asleep or not";
	if (!engine_backend(i->backend)->starts_what_ended ||
	    (!fails && strcmp(c->restart_policy, "unless-stopped") != 0))
		return NULL;
	if (i->idle_action == IDLE_PAUSE)
		return "although it sleeps: it is only paused";
	if (!fails || (ended ? c->exit_code == 0 : certain))
		return NULL;
	return ended ? "although it sleeps: its stop has left another status than 0"
		     : "although it sleeps, if its stop leaves another status than 0";
}

bool container_check_describe_policy(const struct instance *i, const struct container *c, bool certain, char *ret,
				     size_t size)
{
	const char *when = find_boot(i, c, certain);

	if (!when)
		return false;
	snprintf(
		ret, size,
		"%s starts the container at boot, %s (restart policy '%s'): '%s update --restart=no %s' leaves that to "
		"the first connection",
		engine_backend(i->backend)->boot_starter, when, c->restart_policy, backend_kind_name(i->backend),
		i->container_name);
	return true;
}
