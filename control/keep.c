#include "control/keep.h"

#include <errno.h>
#include <string.h>

#include "backends/engine.h"
#include "backends/keep.h"
#include "common/clock.h"
#include "control/instance_engine.h"
#include "control/note.h"
#include "control/sharing.h"
#include "units/paths.h"

#define ENGINE_TIMEOUT (30 * USEC_PER_SEC)

/* One container of an instance. */
struct part {
	const struct instance *instance;
	const char *container;
	const char *unit; /* the unit that runs it, or NULL */
	bool is_made;	  /* create --image has made it */
};

static struct part own_part(const struct instance *i)
{
	return (struct part){i, i->container_name, i->unit, i->made_container};
}

static struct part dependency_part(const struct instance *i, size_t k)
{
	return (struct part){i, i->dependencies[k].container, i->dependencies[k].unit, false};
}

static int record_path(const struct part *p, char ret[static PATH_MAX], struct error *err)
{
	const struct instance *i = p->instance;
	char socket[ENGINE_SOCKET_MAX];

	if (engine_find_socket(i->backend, i->scope, i->engine_socket, socket, err) < 0)
		return -1;
	return volumes_path(i->scope, i->backend, socket, p->container, ret, err);
}

/* The container does not exist while it sleeps: its unit tells what it will have. */
static int keep_by_unit(struct manager *m, struct engine *e, const struct part *p, const char *path, struct error *err)
{
	_cleanup_container_unit_ struct container_unit run_by = {};

	if (!m || container_unit_read(m, p->unit, &run_by, err) < 0 || !run_by.image)
		return error_clear(err);
	return volumes_keep_new(e, path, p->container, run_by.image, (const char *const *)run_by.volumes, err);
}

/* The volumes of a running container are its own; those of a stopped one may have been replaced since it last
 * slept. */
static bool may_remember(const struct container *c, const char *path)
{
	_cleanup_volumes_ struct volumes before = {};
	struct error ignored;

	return c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED ||
	       volumes_read(path, &before, &ignored) < 0;
}

static int accept_part(const struct part *p, struct error *err)
{
	char path[PATH_MAX];

	return record_path(p, path, err) < 0 ? -1 : volumes_write(path, &(struct volumes){}, err);
}

int keep_accept(const struct instance *i, struct error *err)
{
	struct part own = own_part(i);

	if (accept_part(&own, err) < 0)
		return -1;
	for (size_t k = 0; k < i->n_dependencies; k++) {
		struct part p = dependency_part(i, k);

		if (accept_part(&p, err) < 0)
			return -1;
	}
	return 0;
}

static int keep_part(struct manager *m, struct engine *e, const struct part *p, struct error *err)
{
	_cleanup_container_ struct container c = {};
	char path[PATH_MAX];

	if (record_path(p, path, err) < 0)
		return -1;
	if (e->backend->inspect(e, p->container, &c, err) == 0)
		return may_remember(&c, path) ? volumes_remember(e, path, &c, p->unit != NULL, err) : 0;
	if (!error_forgive(err, ENOENT))
		return -1;
	return p->unit ? keep_by_unit(m, e, p, path, err) : 0;
}

void keep_remember(struct manager *m, const struct instance *i, bool anew)
{
	_cleanup_engine_ struct engine *engine = NULL;
	struct part own = own_part(i);
	struct error err;
	int r = anew ? keep_accept(i, &err) : 0;

	if (r == 0)
		r = instance_open_engine(i, ENGINE_TIMEOUT, &engine, &err);
	if (r == 0)
		r = keep_part(m, engine, &own, &err);
	for (size_t k = 0; r == 0 && k < i->n_dependencies; k++) {
		struct part p = dependency_part(i, k);

		r = keep_part(m, engine, &p, &err);
	}
	/* the engine may be down during a refresh, for example after an upgrade; one that hangs was named already */
	if (r < 0 && (anew || (err.code != ENOTCONN && err.code != EALREADY)))
		note_print("the volumes of '%s' are not remembered before it has slept: %s", i->name, err.text);
}

static int forget_part(const struct part *p, struct error *err)
{
	_cleanup_volumes_ struct volumes before = {};
	_cleanup_engine_ struct engine *engine = NULL;
	struct error ignored;
	char path[PATH_MAX];

	if (record_path(p, path, err) < 0)
		return -1;
	(void)volumes_read(path, &before, &ignored);
	if (!before.image[0] && !p->unit && !p->is_made)
		return volumes_write(path, &(struct volumes){}, err);
	return instance_open_engine(p->instance, ENGINE_TIMEOUT, &engine, err) < 0
		       ? -1
		       : volumes_forget(engine, path, p->container, err);
}

static void forget(const struct part *p, const struct stored_list *all)
{
	char name[ANCHOR_NAME_MAX];
	struct error err;

	if (container_is_shared(p->instance, p->container, all))
		return;
	if (forget_part(p, &err) < 0)
		note_print("what is kept for the container '%s' may be left ('%s pod rm --force %s" ANCHOR_POD_SUFFIX
			   "' removes it): %s",
			   p->container, backend_kind_name(p->instance->backend), anchor_name(p->container, name),
			   err.text);
}

void keep_forget(const struct instance *i, const struct stored_list *all)
{
	struct part own = own_part(i);

	forget(&own, all);
	for (size_t k = 0; k < i->n_dependencies; k++) {
		struct part p = dependency_part(i, k);

		forget(&p, all);
	}
}

/* A label with which a filter can exclude it from pruning: the project's, which spares all containers of the project. */
static const char *sparing_label(const struct container *c)
{
	static const char *const projects[] = {"com.docker.compose.project", "io.podman.compose.project"};

	for (size_t k = 0; k < sizeof(projects) / sizeof(*projects); k++) {
		if (container_label(c, projects[k]))
			return projects[k];
	}
	return c->n_labels ? c->labels[0].key : NULL;
}

/* Has a person read the note below before? */
static bool was_told(const struct instance *i, const struct stored_list *all)
{
	for (size_t k = 0; k < all->n; k++) {
		const struct instance *other = &all->items[k].instance;

		if (!all->items[k].problem && !other->adopted && strcmp(other->name, i->name) != 0 &&
		    other->backend == i->backend && other->idle_action == i->idle_action && !other->unit == !i->unit)
			return true;
	}
	return false;
}

void keep_note_pruning(const struct instance *i, const struct subject *s, const struct stored_list *all)
{
	const char *engine = backend_kind_name(i->backend), *label = s->exists ? sparing_label(&s->container) : NULL;
	char filter[256] = "a label and a filter spare it";
	bool pauses = i->idle_action == IDLE_PAUSE;

	if (i->unit && engine_backend(i->backend)->keep)
		return;
	if (was_told(i, all)) {
		note_print(
			"'%s system prune' and the like may delete what it needs while it sleeps, as with your other "
			"instances: see \"Pruning\" in sockwake(1)",
			engine);
		return;
	}
	if (i->unit) {
		note_print("while it sleeps, '%s system prune' and the like take its image and volumes for unused: "
			   "see \"Pruning\" in sockwake(1)",
			   engine);
		return;
	}
	if (label)
		snprintf(filter, sizeof(filter), "prune with --filter 'label!=%s'", label);
	note_print(
		"%s, '%s container prune' and '%s system prune' delete the container, and after it its volumes: %s%s (see "
		"\"Pruning\" in sockwake(1))",
		pauses ? "before its first wake, and after each boot until the next one" : "while it sleeps", engine,
		engine, filter,
		pauses ? "" : ", or take --idle-action pause, which spares it from its first wake to the next boot");
}
