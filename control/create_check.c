/* The checks of `sockwake create` before any change: the container and the ports. */
#include "control/create_check.h"

#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/parse.h"
#include "control/container_check.h"
#include "control/create_request.h"
#include "control/dns_port.h"
#include "control/listen_check.h"
#include "control/network_check.h"
#include "control/note.h"
#include "instance/combination.h"
#include "instance/health_check.h"
#include "instance/validate.h"

int text_replace(char **text, const char *value, struct error *err)
{
	char *copy = strdup(value);

	if (!copy)
		return error_errno(err, ENOMEM, "cannot make the instance fit its container");
	free(*text);
	*text = copy;
	return 0;
}

/* The container port behind a published host port; 0 if there is none, or if the number is also a container port. */
static uint16_t published_to(const struct container *c, uint16_t host_port)
{
	uint16_t inner = 0;

	for (size_t k = 0; k < c->n_ports; k++) {
		const struct published_port *p = &c->ports[k];

		if (p->type != SOCK_STREAM)
			continue;
		if (p->container_port == host_port)
			return 0;
		if (p->host_port == host_port)
			inner = p->container_port;
	}
	return inner;
}

/* The original tool connected to a published host port: such a number means the container port behind it. */
static void translate_published_port(struct instance *i, const struct container *c)
{
	struct publish *p = &i->ports[0];
	uint16_t inner = published_to(c, p->container_port);

	if (!inner)
		return;
	note_print("the container publishes its port %u as the host's %u: using port %u in the container", inner,
		   p->container_port, inner);
	p->container_port = inner;
}

/* Only notes it for -p: the server may also listen on that number. */
static void note_published_ports(const struct instance *i, const struct container *c)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		const struct publish *p = &i->ports[k];
		uint16_t inner = p->type == SOCK_STREAM ? published_to(c, p->container_port) : 0;

		if (inner)
			note_print(
				"port %u is where the host publishes port %u of the container: if that is meant, use -p "
				"…:%u",
				p->container_port, inner, inner);
	}
}

/* Notes who else starts and stops the container. */
static void note_life(const struct instance *i, const struct container *c)
{
	char policy[POLICY_MAX];

	if (c->auto_remove)
		note_print("the container was created with --rm: whoever stops it, and the next boot, removes it with "
			   "all its data; create it without --rm to keep it");
	if (container_check_describe_policy(i, c, false, policy, sizeof(policy)))
		note_print("%s", policy);
}

/* Refuses a check with which each wake would fail. */
static int check_own_check(const struct instance *i, const struct container *c, struct error *err)
{
	if (strcmp(i->health_check, "healthy") != 0 || c->health_test)
		return 0;
	return error_set(
		err, EINVAL,
		"the container '%s' has no health check: make it with one ('%s create --health-cmd COMMAND ...', "
		"HealthCmd= of a Quadlet), or leave out --health-check healthy",
		c->name, backend_kind_name(i->backend));
}

/* The network that a unit will give to its container: the same check as if it had it already. */
static int check_network_to_be(const struct instance *i, struct engine *e, const struct container_unit *run_by,
			       struct error *err)
{
	struct container c = {};

	snprintf(c.name, sizeof(c.name), "%s", i->container_name);
	if (run_by->has_hosts_network)
		strcpy(c.network_mode, "host");
	else if (run_by->network_owner)
		snprintf(c.network_mode, sizeof(c.network_mode), "container:%s", run_by->network_owner);
	if (network_check(e, i, &c, err) < 0)
		return -1;
	network_note(e, i, &c, false);
	return 0;
}

/* What the unit of a pod publishes is checked with the unit (unit_ports.h), which knows where it can be changed. */
static int check_network(const struct instance *i, struct engine *e, const struct subject *s, struct error *err)
{
	if (!s->run_by.pod.unit)
		return network_check(e, i, &s->container, err);
	return s->run_by.has_hosts_network ? network_check_hosts(i, s->container.name, err) : 0;
}

/* The first containers of a pod only hold its namespaces. */
static int refuse_helper(const struct container *c, struct error *err)
{
	if (!c->is_infra && !container_name_is_service(c->name))
		return 0;
	return error_set(
		err, EINVAL,
		"the container '%s' only holds a pod together, and no server runs in it: name one of the pod's "
		"others, which 'podman ps -a --pod' lists",
		c->name);
}

int create_check_fit_container(struct create_request *r, struct engine *e, const struct subject *s, struct error *err)
{
	const struct container *c = &s->container;
	struct instance *i = &r->instance;
	const char *before = r->original_ports ? health_check_default(&i->ports[0], i->targets) : NULL;

	if (combination_check(i, err) < 0)
		return -1;
	if (!s->exists && s->run_by.unit) /* its unit will make it */
		return check_network_to_be(i, e, &s->run_by, err) < 0 ? -1 : instance_validate(i, err);
	if (!s->exists && r->changes) /* it may come back, and is not what is changed */
		return instance_validate(i, err);
	if (!s->exists)
		return error_set(err, ENOENT,
				 "there is no container '%s': create it first, as in '%s create --name %s IMAGE', or "
				 "look at '%s ps -a'",
				 i->container_name, backend_kind_name(i->backend), i->container_name,
				 backend_kind_name(i->backend));
	if (refuse_helper(c, err) < 0)
		return -1;
	/* The name may be an identifier: all instances that share a container must lock the same name. */
	if (text_replace(&i->container_name, c->name, err) < 0)
		return -1;
	i->stop_timeout = c->stop_timeout;
	if (r->original_ports) {
		bool chosen = strcmp(i->health_check, before) == 0;

		translate_published_port(i, c);
		if (chosen && text_replace(&i->health_check, health_check_default(&i->ports[0], i->targets), err) < 0)
			return -1;
	}
	if (!r->original_ports)
		note_published_ports(i, c);
	if (check_own_check(i, c, err) < 0 || check_network(i, e, s, err) < 0)
		return -1;
	if (container_check_fit(i, i->unit, c, err) < 0)
		return -1;
	if (!i->unit) {
		note_life(i, c);
	}
	network_note(e, i, c, !i->unit);
	return instance_validate(i, err);
}

static int check_neighbours(const struct instance *i, const struct publish *p, const struct stored_list *all,
			    struct error *err)
{
	char text[PUBLISH_TEXT_MAX];

	publish_format(p, text);
	for (size_t k = 0; k < all->n; k++) {
		const struct instance *other = &all->items[k].instance;

		for (size_t m = 0; m < other->n_ports && strcmp(other->name, i->name) != 0; m++) {
			if (publish_overlap(p, &other->ports[m]))
				return error_set(err, EADDRINUSE, "'%s': the instance '%s' listens there already", text,
						 other->name);
		}
	}
	return 0;
}

/* A user manager can give its sockets only to the user's own groups. A number may be a group of a container that this machine
 * has no name for. */
int create_check_group(const struct instance *i, struct error *err)
{
	const struct group *g = i->socket_group ? getgrnam(i->socket_group) : NULL;
	gid_t gid = g ? g->gr_gid : 0;

	if (!i->socket_group)
		return 0;
	if (!g && parse_group_number(i->socket_group, &gid, &(struct error){0}) < 0)
		return error_set(err, EINVAL, "there is no group '%s': 'getent group' lists them", i->socket_group);
	if (geteuid() != 0 && gid != getegid() && group_member(gid) == 0)
		return error_set(err, EPERM,
				 "this user is not in the group '%s', and so cannot give it a socket: 'id' lists those "
				 "that it is in",
				 i->socket_group);
	return 0;
}

/* Does the instance still listen there, which will be gone? */
static bool gives_up(const struct instance *old, const struct publish *p)
{
	for (size_t k = 0; k < old->n_ports; k++) {
		if (publish_overlap(p, &old->ports[k]))
			return true;
	}
	return old->n_ports == 0;
}

int create_check_ports(const struct instance *i, const struct stored_list *all, const struct instance *replaced,
		       const struct stored_list *freed, struct error *err)
{
	if (create_check_group(i, err) < 0 || dns_port_check(i, DNS_NETWORKS, err) < 0)
		return -1;
	for (size_t k = 0; k < i->n_ports; k++) {
		const struct publish *p = &i->ports[k];
		bool becomes_free = replaced && gives_up(replaced, p);

		for (size_t m = 0; freed && m < freed->n; m++)
			becomes_free |= gives_up(&freed->items[m].instance, p);
		if (check_neighbours(i, p, all, err) < 0 || (!becomes_free && listen_check_address(p, err) < 0))
			return -1;
	}
	return 0;
}
