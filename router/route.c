#include "router/route.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UID_NOBODY	 65534
#define LINGER_DIRECTORY "/var/lib/systemd/linger/"

static bool has_group(const gid_t *groups, size_t n, gid_t group)
{
	for (size_t i = 0; i < n; i++) {
		if (groups[i] == group)
			return true;
	}
	return false;
}

static bool has_system(const struct config *c, const struct peer *p)
{
	if (id_list_has(&c->system_users, p->uid))
		return true;
	for (size_t i = 0; i < c->system_groups.n; i++) {
		if (p->gid == c->system_groups.ids[i] || has_group(p->groups, p->n_groups, c->system_groups.ids[i]))
			return true;
	}
	return false;
}

/* Rules bind everybody but root, who has the engine's own socket; root in a container is not root. */
static enum route system_route(const struct config *c, const struct peer *p)
{
	return c->has_rules && (p->uid != 0 || p->place.kind != PLACE_HOST) ? ROUTE_POLICY : ROUTE_SYSTEM;
}

__attribute__((format(printf, 2, 3))) static enum route refuse(char ret_why[static ROUTE_WHY_MAX], const char *format,
							       ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(ret_why, ROUTE_WHY_MAX, format, ap);
	va_end(ap);
	return ROUTE_NONE;
}

/* The line that helps differs: `containers` is about the system's engine alone. */
static enum route refuse_container(const struct config *c, const struct peer *p, char ret_why[static ROUTE_WHY_MAX])
{
	if (p->place.slice != PLACE_NOBODY)
		return refuse(
			ret_why,
			"a program in a container may not use this socket; in a rootless container of uid %u root may, and "
			"the administrator can allow all of its users: subordinate = yes in %s",
			(unsigned)p->place.slice, c->path);
	return refuse(ret_why,
		      "a program in a container may not use this socket; the administrator can allow the container: "
		      "containers = NAME in %s",
		      c->path);
}

enum route route_of(const struct config *c, const struct peer *p, char ret_why[static ROUTE_WHY_MAX])
{
	switch (p->place.kind) {
	case PLACE_UNKNOWN:
		return refuse(
			ret_why,
			"the program that has connected could not be identified: it has ended, or is in a user namespace that is "
			"not set up");
	case PLACE_CONTAINER:
		/* Whether it is one that is named, the worker finds out (admission.h). */
		if (*p->place.container && (c->all_containers || c->containers.n > 0))
			return system_route(c, p);
		return refuse_container(c, p, ret_why);
	case PLACE_OWN_CONTAINER:
	case PLACE_HOST:
		break;
	}
	if (c->everybody || has_system(c, p))
		return p->place.kind == PLACE_HOST || c->everybody || c->restricted ? system_route(c, p) : ROUTE_OWN;
	if (p->uid == 0)
		return refuse(ret_why, "root may not use the system's engine here: 'system' of %s does not name root",
			      c->path);
	if (c->restricted)
		return refuse(ret_why, "uid %u may not use this socket: 'system' of %s does not name this user",
			      (unsigned)p->uid, c->path);
	if (!getpwuid(p->uid) || p->uid == UID_NOBODY) {
		return refuse(
			ret_why,
			"uid %u is not the user of an account: no engine belongs to it; use the socket of another "
			"engine by DOCKER_HOST",
			(unsigned)p->uid);
	}
	return ROUTE_OWN;
}

static bool lingers(const char *name)
{
	char path[sizeof(LINGER_DIRECTORY) + CONFIG_NAME_MAX];

	(void)snprintf(path, sizeof(path), LINGER_DIRECTORY "%s", name);
	return access(path, F_OK) == 0;
}

bool route_may_start(const struct config *c, uid_t uid, const gid_t *groups, size_t n_groups, struct error *err)
{
	const struct passwd *user = getpwuid(uid);

	if (!user || uid == 0 || uid == UID_NOBODY) {
		(void)error_set(err, 0, "uid %u is not the user of an account that can have services", (unsigned)uid);
		return false;
	}
	if (c->start == START_GROUP && has_group(groups, n_groups, c->start_group))
		return true;
	if (c->start == START_LINGER && lingers(user->pw_name))
		return true;
	if (c->start == START_LINGER)
		(void)error_set(err, 0, "no services of %s run: log in, or run 'sudo loginctl enable-linger %s'",
				user->pw_name, user->pw_name);
	else
		(void)error_set(err, 0, "no services of %s run: log in first ('start' of %s does not allow more)",
				user->pw_name, c->path);
	return false;
}
