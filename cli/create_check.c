/* What `sockwake create` asks before it changes anything: the container, and the ports. */
#include "cli/create_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/create_request.h"
#include "cli/holder.h"
#include "cli/note.h"
#include "units/combination.h"
#include "units/health_check.h"
#include "units/validate.h"

int replace_text(char **text, const char *value, struct error *err)
{
	char *copy = strdup(value);

	if (!copy)
		return error_errno(err, ENOMEM, "cannot make the instance fit its container");
	free(*text);
	*text = copy;
	return 0;
}

/* The port inside that a port of the host leads to; 0 where none does, or where the number is one inside as well. */
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

/* The original tool went through a published port of the host: where such a number is given, the port behind it is
 * meant. */
static void translate_published_port(struct instance *i, const struct container *c)
{
	struct publish *p = &i->ports[0];
	uint16_t inner = published_to(c, p->container_port);

	if (!inner)
		return;
	print_note("the container publishes its port %u as the host's %u: using port %u in the container", inner,
		   p->container_port, inner);
	p->container_port = inner;
}

/* Of -p it is not taken for granted: the server may listen on that number as well. */
static void note_published_ports(const struct instance *i, const struct container *c)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		const struct publish *p = &i->ports[k];
		uint16_t inner = p->type == SOCK_STREAM ? published_to(c, p->container_port) : 0;

		if (inner)
			print_note(
				"port %u is where the host publishes port %u of the container: if that is meant, use -p "
				"…:%u",
				p->container_port, inner, inner);
	}
}

/* While the container sleeps, such a port is free; when it wakes, the engine wants to listen there, too. */
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

/* Who starts and stops the container, besides us. */
static int check_life(const struct instance *i, const char *unit, const struct container *c, struct error *err)
{
	bool restarts = strcmp(c->restart_policy, "always") == 0 || strcmp(c->restart_policy, "unless-stopped") == 0;

	if (unit)
		return 0;
	if (c->auto_remove && i->idle_action == IDLE_STOP)
		return error_set(err, EINVAL,
				 "the container '%s' is removed when it stops: create it without --rm, or use "
				 "--idle-action pause",
				 c->name);
	if (restarts)
		print_note("the engine starts the container at boot, asleep or not (restart policy '%s'): '%s update "
			   "--restart=no %s' leaves that to the first connection",
			   c->restart_policy, backend_kind_name(i->backend), c->name);
	return 0;
}

/* Where a port of the host's is bound. */
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

/* With the host's network nothing is installed in it, and its loopback is not connected to. */
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
		print_note(
			"the container uses the host's network: its server is looked for on the host's addresses but "
			"loopback, from where all clients would be local ones to it; '--target 127.0.0.1' accepts that");
	return 0;
}

/* Each wake would fail. */
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

int check_container(const struct instance *i, const char *unit, const struct container *c, struct error *err)
{
	return check_life(i, unit, c, err) < 0 || (!unit && refuse_published_listeners(i, c, err) < 0) ? -1 : 0;
}

int fit_container(struct create_request *r, const struct subject *s, struct error *err)
{
	const struct container *c = &s->container;
	struct instance *i = &r->instance;
	const char *before = r->original_ports ? health_check_default(&i->ports[0], i->targets) : NULL;

	if (instance_check_combination(i, err) < 0)
		return -1;
	if (!s->exists && s->runner.unit) /* its unit makes it */
		return instance_validate(i, err);
	if (!s->exists)
		return error_set(err, ENOENT,
				 "there is no container '%s': create it first, as in '%s create --name %s IMAGE', or "
				 "look at '%s ps -a'",
				 i->container_name, backend_kind_name(i->backend), i->container_name,
				 backend_kind_name(i->backend));
	/* It may have been given by its identifier: all who share a container must lock the same. */
	if (replace_text(&i->container_name, c->name, err) < 0)
		return -1;
	i->stop_timeout = c->stop_timeout;
	if (r->original_ports) {
		bool chosen = strcmp(i->health_check, before) == 0;

		translate_published_port(i, c);
		if (chosen && replace_text(&i->health_check, health_check_default(&i->ports[0], i->targets), err) < 0)
			return -1;
	}
	if (!r->original_ports)
		note_published_ports(i, c);
	if (check_own_check(i, c, err) < 0 || check_hosts_network(i, c, err) < 0)
		return -1;
	return check_container(i, i->unit, c, err) < 0 ? -1 : instance_validate(i, err);
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

/* A socket address as systemd will bind it. Returns its length. */
static socklen_t bind_address(const struct publish *p, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){};
	if (inet_pton(AF_INET, p->address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(p->port);
		return sizeof(*in);
	}
	if (p->address[0])
		inet_pton(AF_INET6, p->address, &in6->sin6_addr);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(p->port);
	return sizeof(*in6);
}

/* Binds and listens for a moment. Returns an errno value, 0 when that works. */
static int try_listen(const struct publish *p)
{
	struct sockaddr_storage address;
	socklen_t len = bind_address(p, &address);
	_cleanup_close_ int fd = socket(address.ss_family, p->type | SOCK_CLOEXEC, 0);
	int one = 1, zero = 0;

	if (fd < 0 && errno == EAFNOSUPPORT && !p->address[0]) { /* no IPv6 here: systemd falls back, too */
		struct publish v4 = *p;

		strcpy(v4.address, "0.0.0.0");
		return try_listen(&v4);
	}
	if (fd < 0)
		return errno;
	/* Of a TCP socket this ignores connections that are closing; of a UDP one it would ignore its owner. */
	if (p->type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one));
	if (address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, (struct sockaddr *)&address, len) < 0)
		return errno;
	return p->type == SOCK_STREAM && listen(fd, 1) < 0 ? errno : 0;
}

/* systemd makes the directories that are missing, in the last one that is there. */
static int check_place(const char *path, struct error *err)
{
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];

	snprintf(directory, sizeof(directory), "%s", path);
	do {
		char *slash = strrchr(directory, '/');

		slash[slash == directory] = '\0'; /* the root stays "/" */
	} while (directory[1] && access(directory, F_OK) < 0 && errno == ENOENT);
	if (access(directory, W_OK | X_OK) < 0)
		return error_set(err, errno,
				 "cannot listen on '%s': '%s' (%s); take a directory that this user may write to", path,
				 directory, strerror(errno));
	return 0;
}

/* systemd would take the path from a server that listens there, so this has to look. */
static int check_path(const struct publish *p, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, p->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (check_place(p->path, err) < 0)
		return -1;
	if (lstat(p->path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, EEXIST, "'%s' exists and is not a socket: remove it, or listen elsewhere",
				 p->path);
	strcpy(address.sun_path, p->path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno == ECONNREFUSED)
		return 0; /* left behind by a server that is gone */
	return error_set(err, EADDRINUSE, "another server listens on '%s'", p->path);
}

static int check_port(const struct publish *p, struct error *err)
{
	const char *protocol = p->type == SOCK_DGRAM ? "UDP" : "TCP";
	char holder[256];
	int code;

	if (p->path[0])
		return check_path(p, err);
	code = try_listen(p);
	if (code == 0)
		return 0;
	if (code == EADDRINUSE) {
		describe_holder(p->type, p->port, holder, sizeof(holder));
		return error_set(err, code, "the %s port %u is in use by %s: listen on another port, or stop that",
				 protocol, p->port, holder);
	}
	if (code == EACCES)
		return error_set(
			err, code,
			"this user may not listen on the %s port %u: take one from 1024 on, or have root lower "
			"net.ipv4.ip_unprivileged_port_start",
			protocol, p->port);
	return error_errno(err, code, "cannot listen on the %s port %u of '%s'", protocol, p->port, p->address);
}

/* A user's own manager can give its sockets to no group but the user's. */
static int check_group(const struct instance *i, struct error *err)
{
	const struct group *g = i->socket_group ? getgrnam(i->socket_group) : NULL;

	if (!i->socket_group)
		return 0;
	if (!g)
		return error_set(err, ENOENT, "there is no group '%s': 'getent group' lists them", i->socket_group);
	if (geteuid() != 0 && g->gr_gid != getegid() && group_member(g->gr_gid) == 0)
		return error_set(err, EPERM,
				 "this user is not in the group '%s', and so cannot give it a socket: 'id' lists those "
				 "that it is in",
				 i->socket_group);
	return 0;
}

int check_ports(const struct instance *i, const struct stored_list *all, const struct instance *replaced,
		struct error *err)
{
	if (check_group(i, err) < 0)
		return -1;
	for (size_t k = 0; k < i->n_ports; k++) {
		const struct publish *p = &i->ports[k];
		bool becomes_free = replaced && replaced->n_ports == 0;

		for (size_t m = 0; replaced && m < replaced->n_ports; m++)
			becomes_free |= publish_overlap(p, &replaced->ports[m]);
		if (check_neighbours(i, p, all, err) < 0 || (!becomes_free && check_port(p, err) < 0))
			return -1;
	}
	return 0;
}
