/* `sockwake create --with`, --with-project: the containers that start before the instance's own. */
#include "control/dependencies.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/engine.h"
#include "backends/make.h"
#include "common/parse.h"
#include "control/change.h"
#include "control/container_check.h"
#include "control/create_check.h"
#include "control/create_request.h"
#include "control/create_view.h"
#include "control/network_check.h"
#include "control/note.h"
#include "control/project.h"
#include "instance/dependency.h"
#include "instance/health_check.h"

static int choose_check(struct dependency *d, struct error *err)
{
	struct publish p = {.type = SOCK_STREAM, .container_port = d->port};

	return d->health_check || !d->port ? 0 : text_replace(&d->health_check, health_check_default(&p, NULL), err);
}

int dependencies_parse(struct create_request *r, struct error *err)
{
	struct instance *i = &r->instance;

	for (char **p = r->dependencies; p && *p; p++) {
		struct dependency *d = &i->dependencies[i->n_dependencies];

		if (i->n_dependencies == INSTANCE_DEPENDENCIES_MAX)
			return error_set(err, 0, "more than %d containers in --with", INSTANCE_DEPENDENCIES_MAX);
		i->n_dependencies++;
		if (dependency_parse(*p, d, err) < 0 || choose_check(d, err) < 0)
			return -1;
	}
	return 0;
}

void dependencies_note_unresolved(const struct create_request *r)
{
	for (size_t k = 0; k < r->instance.n_dependencies; k++) {
		const struct dependency *d = &r->instance.dependencies[k];

		if (!d->port && !d->health_check)
			note_print("the port of '%s' is asked of the engine when the instance is created: here it is "
				   "ready when it runs",
				   d->container);
	}
	if (r->with_project)
		note_print("--with-project asks the engine when the instance is created: it is left out here");
}

/* A server that has not begun to listen, and a job that has not ended, look the same. */
static bool is_unknown_in(const struct instance *i, const char *container)
{
	for (size_t k = 0; i && k < i->n_dependencies; k++) {
		if (!i->dependencies[k].health_check && strcmp(i->dependencies[k].container, container) == 0)
			return true;
	}
	return false;
}

void dependencies_note_unknown(const struct instance *i, const struct instance *before)
{
	for (size_t k = 0; k < i->n_dependencies; k++) {
		const struct dependency *d = &i->dependencies[k];

		if (d->health_check || is_unknown_in(before, d->container))
			continue;
		note_print("'%s' counts as ready as soon as it runs, because neither a port nor a HEALTHCHECK of it is "
			   "known: '--with %s:PORT' waits for its server, '--with %s::" HEALTH_CHECK_COMPLETED
			   "' for the end of a job, and '--with %s::none' says that this is meant",
			   d->container, d->container, d->container, d->container);
	}
}

/* A Quadlet's container need not exist while its unit does not run. */
static int find_quadlet(struct dependency *d, struct manager *m, enum backend_kind backend, struct error *err)
{
	_cleanup_container_unit_ struct container_unit run_by = {};

	if (engine_backend(backend)->has_quadlets && container_unit_find(m, d->container, &run_by, err) < 0 &&
	    err->code != ENOENT)
		return -1;
	if (!run_by.unit)
		return error_set(err, ENOENT,
				 "there is no container '%s', which --with names: create it first, or look at "
				 "'%s ps -a'",
				 d->container, backend_kind_name(backend));
	note_print("%s runs '%s': it is started and stopped through that unit", run_by.unit, d->container);
	if (run_by.container && text_replace(&d->container, run_by.container, err) < 0)
		return -1;
	return text_replace(&d->unit, run_by.unit, err);
}

/* A label names the unit. It counts only if that unit's command line runs the container, since putting the instance to
 * sleep stops the unit. */
static int find_unit(struct dependency *d, struct manager *m, const struct container *c, struct error *err)
{
	const char *unit = container_label(c, UNIT_LABEL);
	_cleanup_container_unit_ struct container_unit run_by = {};
	struct error ignored;

	if (!unit || !service_name_is_valid(unit) || container_unit_read(m, unit, &run_by, &ignored) < 0 ||
	    !container_unit_runs(&run_by, c->name))
		return 0;
	note_print("%s runs '%s': it is started and stopped through that unit", unit, c->name);
	return text_replace(&d->unit, unit, err);
}

/* The exposed port, from the image if the container does not have it (Podman before 5). */
static uint16_t find_port(struct engine *engine, const struct container *c)
{
	_cleanup_image_ struct image image = {};
	struct error ignored;

	if (c->exposed_port || !c->image[0])
		return c->exposed_port;
	return engine_find_image(engine, c->image, &image, &ignored) < 0 ? 0 : image.exposed_port;
}

/* A policy that starts it again after a success lets no job end. */
static int check_job(const struct instance *i, const struct container *c, struct error *err)
{
	const char *engine = backend_kind_name(i->backend);

	if (c->auto_remove)
		return error_set(err, EINVAL,
				 "the job '%s' is removed when it ends, and its status with it: create it without --rm",
				 c->name);
	if (strcmp(c->restart_policy, "always") == 0 || strcmp(c->restart_policy, "unless-stopped") == 0)
		return error_set(err, EINVAL,
				 "the job '%s' never ends, for its restart policy '%s' starts it again: '%s update "
				 "--restart=no %s', or create it without that",
				 c->name, c->restart_policy, engine, c->name);
	return 0;
}

static int choose_readiness(struct dependency *d, struct engine *engine, const struct container *c, struct error *err)
{
	if (!d->port && !d->health_check) {
		d->port = find_port(engine, c);
		if (!d->port && c->health_test && text_replace(&d->health_check, "healthy", err) < 0)
			return -1;
	}
	if (d->health_check && strcmp(d->health_check, "healthy") == 0 && !c->health_test)
		return error_set(err, EINVAL,
				 "the container '%s' has no HEALTHCHECK: give it one, or name a port with --with "
				 "%s:PORT",
				 c->name, c->name);
	return choose_check(d, err);
}

static int resolve(struct create_request *r, struct dependency *d, struct manager *m, struct engine *engine,
		   const struct subject *s, struct error *err)
{
	_cleanup_container_ struct container c = {};

	if (engine->backend->inspect(engine, d->container, &c, err) < 0)
		return error_forgive(err, ENOENT) ? find_quadlet(d, m, r->instance.backend, err) : -1;
	if (s->exists && strcmp(c.id, s->container.id) == 0)
		return error_set(err, EINVAL, "--with names '%s', which is the instance's own container", d->container);
	if (text_replace(&d->container, c.name, err) < 0 || find_unit(d, m, &c, err) < 0 ||
	    choose_readiness(d, engine, &c, err) < 0)
		return -1;
	if (!d->unit && health_check_is_completed(d->health_check) && check_job(&r->instance, &c, err) < 0)
		return -1;
	d->stop_timeout = c.stop_timeout;
	return container_check_fit(&r->instance, d->unit, &c, err) < 0 ||
			       network_check_dependency(engine, &r->instance, d, &c, err) < 0
		       ? -1
		       : create_view_check(engine, &c, d->health_check, err);
}

/* One that stays as it was: at most its ports may be in the way of other ones. */
static int check_unchanged(const struct instance *before, const struct instance *now, const struct dependency *d,
			   struct engine *engine, struct error *err)
{
	_cleanup_container_ struct container c = {};

	if (change_keeps_ports(before, now))
		return 0;
	if (engine->backend->inspect(engine, d->container, &c, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	return network_check_dependency(engine, now, d, &c, err);
}

static bool is_named(const struct instance *i, const char *container)
{
	for (size_t k = 0; k < i->n_dependencies; k++) {
		if (strcmp(i->dependencies[k].container, container) == 0)
			return true;
	}
	return false;
}

/* Adds a container after the named ones, unless it is one of them. */
static int add_needed(struct instance *i, const struct project_dependency *n, struct error *err)
{
	struct dependency *d = &i->dependencies[i->n_dependencies];

	if (is_named(i, n->container->name))
		return 0;
	if (i->n_dependencies == INSTANCE_DEPENDENCIES_MAX)
		return error_set(err, E2BIG, "--with-project makes it more than %d containers",
				 INSTANCE_DEPENDENCIES_MAX);
	i->n_dependencies++;
	if (text_replace(&d->container, n->container->name, err) < 0)
		return -1;
	if (n->completed)
		return text_replace(&d->health_check, HEALTH_CHECK_COMPLETED, err);
	return n->healthy && n->container->health_test ? text_replace(&d->health_check, "healthy", err) : 0;
}

/* Inspects the other containers of the project: a list lacks creation times, and some labels. */
static int read_project(struct engine *engine, const struct container *own, struct container_list *ret,
			struct error *err)
{
	_cleanup_container_list_ struct container_list all = {};

	if (engine->backend->list(engine, &all, err) < 0)
		return -1;
	ret->items = calloc(PROJECT_MAX, sizeof(*ret->items));
	if (!ret->items)
		return error_errno(err, ENOMEM, "cannot remember the containers of --with");
	for (size_t k = 0; k < all.n; k++) {
		if (!project_includes(own, &all.items[k]))
			continue;
		if (ret->n == PROJECT_MAX)
			return error_set(err, E2BIG,
					 "its project has more than %d containers: name those it needs with --with",
					 PROJECT_MAX);
		if (engine->backend->inspect(engine, all.items[k].id, &ret->items[ret->n++], err) < 0)
			return -1;
	}
	return 0;
}

static int add_project(struct instance *i, struct engine *engine, const struct subject *s, struct error *err)
{
	_cleanup_container_list_ struct container_list project = {};
	struct project_dependency needed[INSTANCE_DEPENDENCIES_MAX];
	size_t n;

	if (!s->exists)
		return error_set(err, ENOENT,
				 "the container '%s' is not there while its unit does not run, so that its project is "
				 "not to be seen: start the unit once, or name the containers with --with",
				 i->container_name);
	if (!project_exists(&s->container))
		return error_set(err, EINVAL,
				 "the container '%s' is in no compose project (label com.docker.compose.project) and "
				 "in no pod: name the containers it needs with --with",
				 i->container_name);
	if (read_project(engine, &s->container, &project, err) < 0 ||
	    project_order(&s->container, project.items, project.n, needed, &n, err) < 0)
		return -1;
	if (n == 0)
		note_print("no container of its project has to be woken before '%s'", i->container_name);
	for (size_t k = 0; k < n; k++) {
		if (add_needed(i, &needed[k], err) < 0)
			return -1;
	}
	return 0;
}

int dependencies_resolve(struct create_request *r, const struct instance *before, struct manager *m,
			 struct engine *engine, const struct subject *s, struct error *err)
{
	struct instance *i = &r->instance;

	if (r->with_project && add_project(i, engine, s, err) < 0)
		return -1;
	for (size_t k = 0; k < i->n_dependencies; k++) {
		struct dependency *d = &i->dependencies[k];

		bool kept = before && change_keeps_dependency(before, d);

		if (kept ? check_unchanged(before, i, d, engine, err) < 0 : resolve(r, d, m, engine, s, err) < 0)
			return -1;
	}
	return dependencies_validate(i, err);
}
