#include "activator/unit_container.h"

#include <errno.h>
#include <string.h>

struct names {
	const char *sought;
	bool found;
};

static void compare(void *data, const char *name)
{
	struct names *n = data;

	n->found |= strcmp(name, n->sought) == 0;
}

/* Is the label another name of the unit? A unit that is down, and has left its container behind, tells its names. */
static bool is_alias(struct unit *u, const char *label, const char *unit)
{
	struct names names = {.sought = label};
	struct unit_view one, other;
	struct error ignored;

	if (unit_look_at(u, label, &one, &ignored) == 0 && unit_look_at(u, unit, &other, &ignored) == 0 &&
	    one.invocation[0] && strcmp(one.invocation, other.invocation) == 0)
		return true;
	(void)unit_each(u, unit, "Names", compare, &names, &ignored);
	return names.found;
}

bool unit_container_is_own(struct unit *u, const char *unit, const struct container *c)
{
	const char *label = container_label(c, UNIT_LABEL);

	return label && (strcmp(label, unit) == 0 || is_alias(u, label, unit));
}

/* False for units whose containers Podman does not label. */
static bool is_others(struct unit *u, const char *unit, const struct container *c)
{
	return !unit_container_is_own(u, unit, c) && unit_labels_containers(u, unit);
}

int unit_container_refuse(const struct options *o, const char *name, struct error *err)
{
	const char *user = o->scope == SCOPE_USER ? " --user" : "";

	return error_set(
		err, EEXIST,
		"the container '%s' is not the one of the unit '%s': somebody else has made it. 'podman rename "
		"%s %s-other' keeps it, 'podman rm -f %s' removes it with its data; then 'systemctl%s restart "
		"%s' makes the unit's own",
		name, o->unit, name, name, name, user, o->unit);
}

int unit_container_check(struct unit *u, const struct options *o, const struct container *c, struct error *err)
{
	return is_others(u, o->unit, c) ? unit_container_refuse(o, c->name, err) : 0;
}

int unit_container_inspect(struct unit *u, struct engine *e, const struct options *o, struct container *ret,
			   struct error *err)
{
	_cleanup_unit_ struct unit *own = NULL;

	if (e->backend->inspect(e, o->container, ret, err) < 0)
		return -1;
	if (!o->unit)
		return 0;
	if (!u && unit_open(o->scope, o->unit, &own, err) < 0)
		return -1;
	return unit_container_check(u ? u : own, o, ret, err);
}
