#include "activator/volumes.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "activator/dependencies.h"
#include "activator/unit.h"
#include "activator/unit_container.h"
#include "backends/keep.h"
#include "common/clock.h"
#include "common/log.h"
#include "units/paths.h"

/* A mere record is not worth a longer wait. */
#define NOTE_LIMIT (5 * USEC_PER_SEC)

static int record_path(const struct engine *e, const struct options *o, char ret[static PATH_MAX], struct error *err)
{
	return volumes_path(o->scope, o->backend, e->socket, o->container, ret, err);
}

static bool is_active(const struct options *o)
{
	_cleanup_unit_ struct unit *u = NULL;
	struct error ignored;
	struct unit_view v;

	return unit_open(o->scope, o->unit, &u, &ignored) == 0 && unit_look(u, &v, &ignored) == 0 && unit_is_active(&v);
}

static bool mounts(const struct container *c, const struct volume *v)
{
	for (size_t k = 0; k < c->n_mounts; k++) {
		const struct container_mount *m = &c->mounts[k];

		if (v->name ? m->name && strcmp(m->name, v->name) == 0 : m->source && strcmp(m->source, v->path) == 0)
			return true;
	}
	return false;
}

/* Somebody else has started the container, and so accepted its data; or has created it anew without this volume. */
static bool is_accepted(struct engine *e, const struct options *o, const struct volume *v)
{
	_cleanup_container_ struct container c = {};
	struct error ignored;

	if (o->unit)
		return is_active(o);
	if (e->backend->inspect(e, o->container, &c, &ignored) < 0)
		return false;
	return (c.state != CONTAINER_CREATED && c.state != CONTAINER_EXITED && c.state != CONTAINER_DEAD) ||
	       !mounts(&c, v);
}

static int refuse(const struct options *o, const struct volume *v, enum volume_change change, struct error *err)
{
	if (!v->name)
		return error_set(err, ESTALE,
				 "%s '%s', which the container '%s' had when it last slept: mount or restore it, or "
				 "let the container start without it by 'sockwake refresh --accept-volumes %s'",
				 change == VOLUME_GONE ? "there is no directory" : "nothing is mounted on", v->path,
				 o->container, o->name);
	return error_set(
		err, ESTALE,
		"the volume '%s' of the container '%s' %s since it last slept, and a start would begin with an "
		"empty one: restore it (see \"Pruning\" in sockwake(1)), then, or to begin anew, 'sockwake "
		"refresh --accept-volumes %s'",
		v->name, o->container, change == VOLUME_GONE ? "was removed" : "was replaced", o->name);
}

static int check_one(struct engine *e, const struct options *o, struct error *err)
{
	_cleanup_volumes_ struct volumes before = {};
	char path[PATH_MAX];
	struct error ignored;

	if (record_path(e, o, path, &ignored) < 0 || volumes_read(path, &before, &ignored) < 0)
		return 0;
	for (size_t k = 0; k < before.n; k++) {
		enum volume_change change = volume_look(&before.items[k]);

		if (change != VOLUME_SAME && !is_accepted(e, o, &before.items[k]))
			return refuse(o, &before.items[k], change, err);
	}
	return 0;
}

int volumes_check(struct engine *e, const struct options *o, struct error *err)
{
	for (unsigned k = 0; k < o->n_dependencies; k++) {
		struct options view = dependency_options(o, k);

		if (check_one(e, &view, err) < 0)
			return -1;
	}
	return check_one(e, o, err);
}

static int note(struct engine *e, const struct options *o, const struct container *c, struct error *err)
{
	_cleanup_container_ struct container asked = {};
	char path[PATH_MAX];

	if (record_path(e, o, path, err) < 0)
		return -1;
	if (!c) {
		if (unit_container_inspect(NULL, e, o, &asked, err) < 0)
			return error_forgive(err, ENOENT) ? 0 : -1;
		c = &asked;
	}
	return volumes_remember(e, path, c, o->unit != NULL, err);
}

void volumes_note(struct engine *e, const struct options *o, const struct container *c)
{
	uint64_t deadline = e->deadline;
	struct error err;

	e->deadline = time_from_now(NOTE_LIMIT);
	if (note(e, o, c, &err) < 0)
		log_line(LOG_INFO, "the volumes of the container '%s' are not remembered: %s", o->container, err.text);
	e->deadline = deadline;
}
