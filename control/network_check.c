#include "control/network_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/container_check.h"
#include "control/note.h"

#define SHARED "container:"

/* A container's network may be another one's, and so on; engines refuse circles. */
#define HOPS_MAX 8

static bool is_shared(const struct container *c)
{
	return strncmp(c->network_mode, SHARED, strlen(SHARED)) == 0;
}

/* *ret is the container whose network c has, if that is another one: else, or if it is gone, its name is "". The caller
 * clears *ret, also after an error. */
static int find_owner(struct engine *e, const struct container *c, struct container *ret, struct error *err)
{
	char name[sizeof(c->network_mode)];

	for (unsigned k = 0; k < HOPS_MAX && is_shared(k ? ret : c); k++) {
		snprintf(name, sizeof(name), "%s", (k ? ret : c)->network_mode + strlen(SHARED));
		if (e->backend->inspect(e, name, ret, err) < 0)
			return error_forgive(err, ENOENT) ? 0 : -1;
	}
	return 0;
}

/* As in the value of -p. */
static const char *protocol(int type)
{
	return type == SOCK_DGRAM ? "/udp" : "";
}

/* Would a server on the host's network listen on the address of p? */
static bool is_reached_at(const struct instance *i, const struct publish *p)
{
	struct publish there = {.type = p->type, .port = p->container_port};

	for (char **t = i->targets; t && *t; t++) {
		snprintf(there.address, sizeof(there.address), "%s", *t);
		if (publish_overlap(p, &there))
			return true;
	}
	return !i->targets && publish_overlap(p, &there);
}

/* On the host's network sockwake installs nothing in the namespace, and does not connect to its loopback. */
int network_check_hosts(const struct instance *i, const char *container, struct error *err)
{
	if (i->transparent)
		return error_set(err, EINVAL,
				 "--transparent needs a network of the container's own, and '%s' uses the host's: use "
				 "--proxy-protocol, or make it with another network",
				 container);
	for (size_t k = 0; k < i->n_ports; k++) {
		if (!i->ports[k].path[0] && is_reached_at(i, &i->ports[k]))
			return error_set(
				err, EADDRINUSE,
				"the container '%s' uses the host's network, and its server could not listen on "
				"port %u while sockwake does: listen on another port (-p OTHER:%u%s)",
				container, i->ports[k].port, i->ports[k].container_port, protocol(i->ports[k].type));
	}
	return 0;
}

static void note_hosts(const struct instance *i)
{
	if (!i->targets)
		note_print(
			"the container uses the host's network: its server is looked for on the host's addresses but "
			"loopback, from where all clients would be local ones to it; '--target 127.0.0.1' accepts that");
}

/* The pod, or the other container, would have to be made anew: its ports are fixed. */
static int refuse_published(const struct instance *i, const struct container *c, const struct container *owner,
			    struct error *err)
{
	const struct publish *ours;
	const struct published_port *p = container_check_taken(i, owner, &ours);

	if (!p)
		return 0;
	if (owner->is_infra)
		return error_set(
			err, EADDRINUSE,
			"the pod of the container '%s' publishes port %u itself and could not start while "
			"sockwake listens there: make the pod without '-p %u:%u%s', or listen on another port (-p "
			"OTHER:%u%s)",
			c->name, p->host_port, p->host_port, p->container_port, protocol(p->type), ours->container_port,
			protocol(ours->type));
	return error_set(
		err, EADDRINUSE,
		"the container '%s', whose network '%s' has, publishes port %u itself and could not start while "
		"sockwake listens there: make it without '-p %u:%u%s', or listen on another port (-p OTHER:%u%s)",
		owner->name, c->name, p->host_port, p->host_port, p->container_port, protocol(p->type),
		ours->container_port, protocol(ours->type));
}

static bool has_hosts_network(const struct container *c, const struct container *owner)
{
	return strcmp(owner->name[0] ? owner->network_mode : c->network_mode, "host") == 0;
}

int network_check(struct engine *e, const struct instance *i, const struct container *c, struct error *err)
{
	_cleanup_container_ struct container owner = {};

	if (find_owner(e, c, &owner, err) < 0 || refuse_published(i, c, &owner, err) < 0)
		return -1;
	return has_hosts_network(c, &owner) ? network_check_hosts(i, c->name, err) : 0;
}

/* Its server listens on the port that is waited for, if that is known. */
static int refuse_hosts_port(const struct instance *i, const struct dependency *d, const struct container *c,
			     struct error *err)
{
	struct publish there = {.type = SOCK_STREAM, .port = d->port ? d->port : c->exposed_port};

	for (size_t k = 0; there.port && k < i->n_ports; k++) {
		if (!i->ports[k].path[0] && publish_overlap(&i->ports[k], &there))
			return error_set(
				err, EADDRINUSE,
				"the container '%s', which --with names, uses the host's network, and could not "
				"listen on port %u while sockwake does: listen on another port (-p OTHER:%u)",
				c->name, there.port, i->ports[k].container_port);
	}
	return 0;
}

int network_check_dependency(struct engine *e, const struct instance *i, const struct dependency *d,
			     const struct container *c, struct error *err)
{
	_cleanup_container_ struct container owner = {};

	if (find_owner(e, c, &owner, err) < 0 || refuse_published(i, c, &owner, err) < 0)
		return -1;
	return has_hosts_network(c, &owner) ? refuse_hosts_port(i, d, c, err) : 0;
}

static bool is_named_before(const struct container *c, size_t k)
{
	for (size_t n = 0; n < k; n++) {
		if (c->ports[n].host_port == c->ports[k].host_port)
			return true;
	}
	return false;
}

static size_t list_ports(const struct container *c, char *ret, size_t size, size_t len)
{
	for (size_t k = 0; k < c->n_ports; k++) {
		if (c->ports[k].host_port && !is_named_before(c, k) && len < size - 16)
			len += (size_t)sprintf(ret + len, "%s%u", len ? ", " : "", c->ports[k].host_port);
	}
	return len;
}

void network_note_bypass(const char *whose, const char *ports)
{
	if (ports[0])
		note_print(
			"%s publishes port %s itself: who connects there neither wakes it nor keeps it awake, and is "
			"refused while it sleeps; a -p here instead of there changes that",
			whose, ports);
}

/* Neither the engine nor sockwake knows who else listens there, or who makes it. */
static void note_named(const struct container *c)
{
	if (strncmp(c->network_mode, "ns:", 3) == 0)
		note_print(
			"the container '%s' joins the network namespace '%s': whoever makes that has to do so before "
			"each wake, also after a boot, and what others listen on there is not checked",
			c->name, c->network_mode + 3);
}

void network_note(struct engine *e, const struct instance *i, const struct container *c, bool ports_too)
{
	_cleanup_container_ struct container owner = {};
	char ports[256] = "", whose[sizeof(c->name) + 64];
	struct error ignored;

	(void)find_owner(e, c, &owner, &ignored);
	if (has_hosts_network(c, &owner))
		note_hosts(i);
	note_named(c);
	if (!ports_too)
		return;
	list_ports(&owner, ports, sizeof(ports), list_ports(c, ports, sizeof(ports), 0));
	snprintf(whose, sizeof(whose), "the %scontainer '%s'", owner.is_infra ? "pod of the " : "", c->name);
	network_note_bypass(whose, ports);
}
