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
#include "control/listen_check.h"
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

static bool is_named_before(const struct container *c, size_t k)
{
	for (size_t n = 0; n < k; n++) {
		if (c->ports[n].host_port == c->ports[k].host_port)
			return true;
	}
	return false;
}

/* Ports that the engine forwards bypass the sockets that systemd holds. */
static void note_own_ports(const struct container *c)
{
	char ports[256] = "";
	size_t len = 0;

	for (size_t k = 0; k < c->n_ports; k++) {
		if (c->ports[k].host_port && !is_named_before(c, k) && len < sizeof(ports) - 16)
			len += (size_t)sprintf(ports + len, "%s%u", len ? ", " : "", c->ports[k].host_port);
	}
	if (len > 0)
		note_print(
			"the container publishes port %s itself: who connects there neither wakes it nor keeps it awake",
			ports);
}

/* Notes who else starts and stops the container. */
static void note_life(const struct instance *i, const struct container *c)
{
	char policy[POLICY_MAX];

	if (c->auto_remove)
		note_print("the container was created with --rm: whoever stops it, and the next boot, removes it with "
			   "all its data; create it without --rm to keep it");
	if (container_check_describe_policy(i, c, policy, sizeof(policy)))
		note_print("%s", policy);
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
static int check_hosts_network(const struct instance *i, const struct container *c, struct error *err)
{
	if (strcmp(c->network_mode, "host") != 0)
		return 0;
	if (i->transparent)
		return error_set(err, EINVAL,
				 "--transparent needs a network of the container's own, and '%s' uses the host's: use "
				 "--proxy-protocol, or make it with another network",
				 c->name);
	for (size_t k = 0; k < i->n_ports; k++) {
		if (!i->ports[k].path[0] && is_reached_at(i, &i->ports[k]))
			return error_set(
				err, EADDRINUSE,
				"the container '%s' uses the host's network, and its server could not listen on "
				"port %u while sockwake does: listen on another port (-p OTHER:%u)",
				c->name, i->ports[k].port, i->ports[k].container_port);
	}
	if (!i->targets)
		note_print(
			"the container uses the host's network: its server is looked for on the host's addresses but "
			"loopback, from where all clients would be local ones to it; '--target 127.0.0.1' accepts that");
	return 0;
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

int create_check_fit_container(struct create_request *r, const struct subject *s, struct error *err)
{
	const struct container *c = &s->container;
	struct instance *i = &r->instance;
	const char *before = r->original_ports ? health_check_default(&i->ports[0], i->targets) : NULL;

	if (combination_check(i, err) < 0)
		return -1;
	if (!s->exists && s->run_by.unit) /* its unit will make it */
		return instance_validate(i, err);
	if (!s->exists)
		return error_set(err, ENOENT,
				 "there is no container '%s': create it first, as in '%s create --name %s IMAGE', or "
				 "look at '%s ps -a'",
				 i->container_name, backend_kind_name(i->backend), i->container_name,
				 backend_kind_name(i->backend));
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
	if (check_own_check(i, c, err) < 0 || check_hosts_network(i, c, err) < 0)
		return -1;
	if (container_check_fit(i, i->unit, c, err) < 0)
		return -1;
	if (!i->unit) {
		note_life(i, c);
		note_own_ports(c);
	}
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
static int check_group(const struct instance *i, struct error *err)
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
	if (check_group(i, err) < 0)
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
