#include "control/image.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/engine.h"
#include "common/clock.h"
#include "common/parse.h"
#include "control/instance_engine.h"
#include "control/lost.h"
#include "control/note.h"
#include "control/replaced.h"
#include "control/settle.h"
#include "units/own_file.h"
#include "units/quadlet.h"
#include "units/query.h"

#define ENGINE_TIMEOUT	(60 * USEC_PER_SEC)
#define HEAL_TIMEOUT	(5 * USEC_PER_SEC) /* needed only after an interrupted replacement */
#define UNDO_TIMEOUT	(15 * USEC_PER_SEC)
#define UNDO_PAUSE_MSEC 200
#define UNIT_TIMEOUT	(120 * USEC_PER_SEC)
#define QUADLET_MODE	0600 /* variables may be secrets */
#define VOLUME_NAME_MAX 256

static int no_memory(struct error *err)
{
	return error_errno(err, ENOMEM, "cannot make a container");
}

static bool is_mounted(const struct made_container *o, const char *directory)
{
	size_t len = strlen(directory);

	for (char **v = o->volumes; v && *v; v++) {
		const char *destination = strchr(*v, ':') + 1;

		if (strncmp(destination, directory, len) == 0 && (destination[len] == ':' || destination[len] == '\0'))
			return true;
	}
	return false;
}

static int add_volume(struct made_container *o, const char *name, const char *directory, struct error *err)
{
	char volume[VOLUME_NAME_MAX + PATH_MAX + 1];
	size_t n = 0;
	char **more;

	while (o->volumes && o->volumes[n])
		n++;
	if (snprintf(volume, VOLUME_NAME_MAX, "%s%s", name, directory) >= VOLUME_NAME_MAX)
		return error_set(err, ENAMETOOLONG, "the image's volume '%s' gets too long a name: give it one with -v",
				 directory);
	for (char *p = volume; *p; p++) {
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-", *p))
			*p = '-';
	}
	strcat(strcat(volume, ":"), directory);
	for (size_t k = 0; k < n; k++) {
		if (strncmp(o->volumes[k], volume, strcspn(volume, ":") + 1) == 0)
			return error_set(err, EEXIST,
					 "two of the image's volumes would get the same name, '%s': give "
					 "them names with -v",
					 volume);
	}
	more = reallocarray(o->volumes, n + 2, sizeof(*more));
	if (!more)
		return no_memory(err);
	o->volumes = more;
	more[n] = strdup(volume);
	more[n + 1] = NULL;
	return more[n] ? 0 : no_memory(err);
}

/* A Quadlet's container is removed when it sleeps, and its unnamed volumes with it. So the image's volumes get names:
 * "NAME-var-lib-data". */
static int name_volumes(struct made_container *o, const char *name, const struct image *image, struct error *err)
{
	for (size_t k = 0; k < image->n_volumes; k++) {
		if (!is_mounted(o, image->volumes[k]) && add_volume(o, name, image->volumes[k], err) < 0)
			return -1;
	}
	return made_container_validate(o, err);
}

/* Docker would make a missing directory, owned by root; Podman would fail at every wake. */
static int check_sources(const struct made_container *o, struct error *err)
{
	char path[PATH_MAX];

	for (char **v = o->volumes; v && *v; v++) {
		snprintf(path, sizeof(path), "%.*s", (int)strcspn(*v, ":"), *v);
		if (path[0] == '/' && access(path, F_OK) < 0)
			return error_set(err, EINVAL, "the directory '%s' cannot be mounted in the container (%s)",
					 path, strerror(errno));
	}
	return 0;
}

static int decide(struct create_request *r, bool quadlet, struct error *err)
{
	struct instance *i = &r->instance;
	char unit[UNIT_NAME_MAX];

	r->as_quadlet = quadlet;
	i->made_container = true;
	if (!quadlet)
		return 0;
	i->unit = strdup(quadlet_unit(i->name, unit));
	return i->unit ? 0 : no_memory(err);
}

/* Asks the engine for the image and for its version. */
static int plan(struct create_request *r, struct engine *e, struct image *ret, struct error *err)
{
	bool quadlet;

	if (engine_has_quadlet(e, &quadlet, err) < 0 || decide(r, quadlet, err) < 0 ||
	    engine_find_image(e, r->to_make.image, ret, err) < 0 ||
	    (r->to_make.network && engine_find_network(e, r->to_make.network, err) < 0))
		return -1;
	return name_volumes(&r->to_make, r->instance.name, ret, err);
}

static int in_the_way(const struct container *c, const char *name, struct error *err)
{
	return error_set(err, EEXIST,
			 "there is a container '%s' already: leave out --image to wake that one%s, or remove it first",
			 name, replaced_is_made_for(c, name) ? ", use --force to replace it" : "");
}

/* Has the generator made a unit from it? */
static int check_unit(struct manager *m, const char *unit, const char *path, struct error *err)
{
	struct unit_state state = {};
	int r = manager_query(m, &unit, 1, &state, err);

	if (r == 0 && strcmp(state.load_state, "loaded") != 0)
		r = error_set(
			err, ENOENT,
			"Podman's generator made no unit '%s' of '%s': is Quadlet installed (podman-systemd.unit(5))?",
			unit, path);
	unit_states_clear(&state, 1);
	return r;
}

/* A Quadlet that `remove` has left may have been edited, and names the volumes with the data. */
static int check_quadlet(const struct create_request *r, const char *path, const char *text, struct error *err)
{
	_cleanup_free_ char *there = NULL;

	if (own_file_read(path, &there, err) < 0)
		return -1;
	if (!there || strcmp(there, text) == 0)
		return 0;
	if (r->force)
		return lost_check_quadlet(r, there, path, err);
	return error_set(
		err, EEXIST,
		"there is a Quadlet '%s' already, which differs from what would be made: wake its container with "
		"'sockwake create %s -p PORT:CPORT', or use --force to replace it",
		path, r->instance.name);
}

static int make_quadlet(struct create_request *r, const struct container *there, struct made *made, struct error *err)
{
	const char *unit = container_label(there, UNIT_LABEL);
	struct instance *i = &r->instance;
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	if (there->id[0] && (!unit || strcmp(unit, i->unit) != 0)) /* the unit would replace this container */
		return in_the_way(there, i->name, err);
	text = quadlet_render(i->name, &r->to_make, err);
	if (!text || quadlet_path(i->scope, i->name, path, err) < 0 || check_quadlet(r, path, text, err) < 0 ||
	    own_file_write(path, text, QUADLET_MODE, &made->before, err) < 0)
		return -1;
	made->quadlet = strdup(path);
	if (!made->quadlet)
		return no_memory(err);
	return manager_reload(made->manager, err) < 0 ? -1 : check_unit(made->manager, i->unit, path, err);
}

/* Locks the container, which must not be in use: another instance may use it under another name. id: its identifier; of no
 * importance where a unit runs it. remedy: the advice in that error. */
static int lock_made(const struct instance *i, const struct engine *engine, const char *id, const char *remedy,
		     struct container_lock *ret, struct error *err)
{
	if (settle_lock_container(i, engine, id, ret, err) == 0)
		return 0;
	return error_forgive(err, EWOULDBLOCK)
		       ? error_set(err, EBUSY,
				   "another instance is using the container '%s' ('sockwake list' shows who is awake): "
				   "when that sleeps, %s",
				   i->container_name, remedy)
		       : -1;
}

/* An engine that failed in the middle of a request may have carried it out. */
static bool is_uncertain(const struct error *err)
{
	return err->code == ECONNRESET || err->code == ETIMEDOUT || err->code == EPROTO;
}

/* It may have taken long to put it to sleep: somebody may have given its name to another one since. */
static int check_name(struct engine *e, const char *name, const char *id, struct error *err)
{
	_cleanup_container_ struct container now = {};

	if (e->backend->inspect(e, id, &now, err) < 0)
		return -1;
	if (strcmp(now.name, name) == 0)
		return 0;
	return error_set(
		err, EBUSY,
		"somebody has renamed the container '%s' to '%s' meanwhile: nothing is replaced. '%s rename %s "
		"%s' undoes that",
		name, now.name, e->backend->name, now.name, name);
}

/* Renames the container that was made for this instance before; it comes back if the rest fails. */
static int set_aside(const struct create_request *r, const struct container *there, struct made *made,
		     struct error *err)
{
	_cleanup_container_lock_ struct container_lock lock = NO_CONTAINER_LOCK;
	const char *name = r->instance.name;
	char service[UNIT_NAME_MAX], old[REPLACED_NAME_MAX];

	if (replaced_name(name, REPLACED_DISCARDED, old, err) < 0 || /* the longer one */
	    replaced_name(name, REPLACED_SET_ASIDE, old, err) < 0 ||
	    manager_stop(made->manager, unit_name(name, SERVICE_SUFFIX, service), UNIT_TIMEOUT, err) < 0 ||
	    lock_made(&r->instance, made->engine, there->id, "try again", &lock, err) < 0 ||
	    engine_end_container(made->engine, there, err) < 0 || check_name(made->engine, name, there->id, err) < 0)
		return -1;
	made->old = strdup(old);
	if (!made->old)
		return no_memory(err);
	snprintf(made->old_id, sizeof(made->old_id), "%s", there->id);
	if (engine_rename_container(made->engine, there->id, old, err) == 0)
		return 0;
	if (!is_uncertain(err))
		free_ptr(&made->old);
	return -1;
}

static int make_by_engine(struct create_request *r, const struct container *there, const struct image *image,
			  struct made *made, struct error *err)
{
	const char *name = r->instance.name;
	int done;

	if (there->id[0] && (!r->force || !replaced_is_made_for(there, name)))
		return in_the_way(there, name, err);
	if (there->id[0] && engine_made_container_is_as(made->engine, &r->to_make, name, image, there))
		return 0; /* it keeps what it has written */
	if (there->id[0] && (lost_check_container(r, there, err) < 0 || set_aside(r, there, made, err) < 0))
		return -1;
	done = engine_create_container(made->engine, &r->to_make, name, image, err);
	made->created = done == 0 || is_uncertain(err);
	return done;
}

int made_make(struct create_request *r, struct manager *m, struct made *ret, struct error *err)
{
	_cleanup_container_ struct container there = {};
	_cleanup_image_ struct image image = {};
	struct instance *i = &r->instance;

	*ret = (struct made){.manager = m, .name = strdup(i->name), .begun = true, .signals = signals_block()};
	if (!ret->name)
		return no_memory(err);
	if (instance_open_engine(i, ENGINE_TIMEOUT, &ret->engine, err) < 0 || check_sources(&r->to_make, err) < 0 ||
	    plan(r, ret->engine, &image, err) < 0)
		return -1;
	if (!r->as_quadlet && replaced_settle(ret->engine, i->name, err) < 0)
		return -1;
	if (ret->engine->backend->inspect(ret->engine, i->name, &there, err) < 0 && !error_forgive(err, ENOENT))
		return -1;
	return r->as_quadlet ? make_quadlet(r, &there, ret, err) : make_by_engine(r, &there, &image, ret, err);
}

static void made_free(struct made *made)
{
	engine_close(&made->engine);
	free(made->name);
	free(made->quadlet);
	free(made->before);
	free(made->old);
	if (made->begun)
		signals_release(&made->signals);
	*made = (struct made){};
}

/* Repeats the attempt while the engine restarts. */
static int insist(struct made *made, int (*attempt)(struct made *made, struct error *err), struct error *err)
{
	uint64_t end = now_usec() + UNDO_TIMEOUT;

	for (;;) {
		made->engine->deadline = now_usec() + ENGINE_TIMEOUT;
		if (attempt(made, err) == 0)
			return 0;
		if ((err->code != ENOTCONN && !is_uncertain(err)) || now_usec() >= end)
			return -1;
		error_clear(err);
		(void)poll(NULL, 0, UNDO_PAUSE_MSEC);
	}
}

/* Once the old container has this name, the new one is permanent. */
static int discard_old(struct made *made, struct error *err)
{
	char discarded[REPLACED_NAME_MAX];
	char *name;

	if (replaced_name(made->name, REPLACED_DISCARDED, discarded, err) < 0)
		return -1;
	if (engine_rename_container(made->engine, made->old_id, discarded, err) < 0 && !error_forgive(err, ENOENT))
		return -1;
	name = strdup(discarded);
	if (!name)
		return no_memory(err);
	free(made->old);
	made->old = name;
	return 0;
}

static int remove_old(struct made *made, struct error *err)
{
	return engine_remove_container(made->engine, made->old_id, err);
}

void made_keep(const struct create_request *r, struct made *made)
{
	struct error err;

	if (made->quadlet || made->created)
		lost_note_writes(r);
	if (made->old && (insist(made, discard_old, &err) < 0 || insist(made, remove_old, &err) < 0))
		note_print("the container that was replaced is left ('%s rm %s' removes it): %s",
			   backend_kind_name(r->instance.backend), made->old, err.text);
	made_free(made);
}

/* Does not remove the old container, which still has the name if it was not set aside. */
static int remove_created(struct made *made, struct error *err)
{
	_cleanup_container_ struct container c = {};

	if (made->engine->backend->inspect(made->engine, made->name, &c, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	if (!replaced_is_made_for(&c, made->name) || strcmp(c.id, made->old_id) == 0)
		return 0;
	return engine_remove_container(made->engine, c.id, err);
}

static int try_undo(struct made *made, struct error *err)
{
	if (made->created && remove_created(made, err) < 0)
		return -1;
	return made->old ? replaced_settle(made->engine, made->name, err) : 0;
}

void made_clear(struct made *made)
{
	_cleanup_free_ char *unused = NULL;
	struct error ignored, err;

	if (made->quadlet) {
		if (made->before)
			(void)own_file_write(made->quadlet, made->before, QUADLET_MODE, &unused, &ignored);
		else
			(void)own_file_remove(made->quadlet, &ignored);
		(void)manager_reload(made->manager, &ignored);
	}
	if ((made->created || made->old) && insist(made, try_undo, &err) < 0)
		note_print("not everything is as it was before: %s; once that is mended, 'sockwake refresh %s'",
			   err.text, made->name);
	made_free(made);
}

int made_put(FILE *f, struct create_request *r, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_image_ struct image image = {};
	_cleanup_free_ char *text = NULL;
	struct instance *i = &r->instance;

	if (instance_open_engine(i, ENGINE_TIMEOUT, &engine, err) < 0)
		return -1;
	if (plan(r, engine, &image, err) < 0) {
		note_print("%s", err->text);
		error_clear(err);
		if (!i->made_container && decide(r, engine_backend(i->backend)->has_quadlets, err) < 0)
			return -1;
	} else {
		lost_note_writes(r);
	}
	if (r->as_quadlet) {
		text = quadlet_render(i->name, &r->to_make, err);
		if (!text)
			return -1;
		fprintf(f, "# --- %s-container.container ---\n%s\n", i->name, text);
		return 0;
	}
	text = made_container_to_json(&r->to_make, i->name, r->to_make.image, image.id);
	if (!text)
		return no_memory(err);
	fprintf(f, "# --- container %s, through the engine's API ---\n# %s\n\n", i->name, text);
	return 0;
}

bool made_is(const struct instance *i, const struct subject *s)
{
	char path[PATH_MAX];
	struct error ignored;

	if (s->exists && replaced_is_made_for(&s->container, i->name))
		return true;
	return s->run_by.quadlet && quadlet_path(i->scope, i->name, path, &ignored) == 0 &&
	       strcmp(s->run_by.quadlet, path) == 0;
}

int made_check(const struct instance *i, char ret_id[static CONTAINER_ID_SIZE], struct error *err)
{
	_cleanup_container_ struct container there = {};
	_cleanup_engine_ struct engine *engine = NULL;

	ret_id[0] = '\0';
	if (!i->made_container)
		return error_set(err, EINVAL,
				 "the container '%s' was not made by 'create --image': remove the instance without "
				 "--with-container, then '%s rm %s'",
				 i->container_name, backend_kind_name(i->backend), i->container_name);
	if (i->unit)
		return 0;
	if (instance_open_engine(i, ENGINE_TIMEOUT, &engine, err) < 0)
		return -1;
	if (engine->backend->inspect(engine, i->container_name, &there, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	strcpy(ret_id, there.id);
	if (replaced_is_made_for(&there, i->name))
		return 0;
	return error_set(err, EINVAL,
			 "the container '%s' is no longer the one that 'create --image' made: remove the instance "
			 "without --with-container",
			 i->container_name);
}

static int remove_quadlet(const struct instance *i, struct manager *m, struct error *err)
{
	char path[PATH_MAX], unit[UNIT_NAME_MAX];
	struct error ignored;

	if (quadlet_path(i->scope, i->name, path, err) < 0)
		return -1;
	if (m && manager_stop(m, quadlet_unit(i->name, unit), UNIT_TIMEOUT, err) < 0)
		return -1;
	if (own_file_remove(path, err) < 0 || (m && manager_reload(m, err) < 0))
		return -1;
	if (m)
		(void)manager_reset_failed(m, unit, &ignored);
	return 0;
}

/* Stops it first: somebody else may have started it. */
static int remove_container(struct engine *engine, const struct container *c, struct error *err)
{
	return engine_end_container(engine, c, err) < 0 ? -1 : engine_remove_container(engine, c->id, err);
}

/* Removes the remains of an interrupted replacement. */
static int remove_older(const struct instance *i, struct engine *engine, enum replaced_stage stage, struct error *err)
{
	_cleanup_container_ struct container c = {};
	char old[REPLACED_NAME_MAX];
	struct error ignored;

	if (replaced_name(i->name, stage, old, &ignored) < 0)
		return 0;
	if (engine->backend->inspect(engine, old, &c, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	return replaced_is_made_for(&c, i->name) ? remove_container(engine, &c, err) : 0;
}

int made_heal(const struct instance *i, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;

	if (!i->made_container || i->unit)
		return 0;
	return instance_open_engine(i, HEAL_TIMEOUT, &engine, err) < 0 ? -1 : replaced_settle(engine, i->name, err);
}

/* Removes the one that made_check() has seen, whatever its name is by now: that may be another's. id: ""; it saw none, and
 * one that was set aside may have come back. */
static int remove_made(const struct instance *i, struct engine *engine, const char *id, struct error *err)
{
	_cleanup_container_lock_ struct container_lock lock = NO_CONTAINER_LOCK;
	_cleanup_container_ struct container c = {};

	if (engine->backend->inspect(engine, id[0] ? id : i->container_name, &c, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	if (!replaced_is_made_for(&c, i->name))
		return 0;
	return lock_made(i, engine, c.id, "remove what made the container yourself", &lock, err) < 0
		       ? -1
		       : remove_container(engine, &c, err);
}

static int remove_quadlets_container(const struct instance *i, struct engine *engine, struct manager *m,
				     struct error *err)
{
	_cleanup_container_lock_ struct container_lock lock = NO_CONTAINER_LOCK;

	return lock_made(i, engine, "", "remove what made the container yourself", &lock, err) < 0
		       ? -1
		       : remove_quadlet(i, m, err);
}

int made_remove(const struct instance *i, struct manager *m, const char *id, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;

	if (instance_open_engine(i, ENGINE_TIMEOUT, &engine, err) < 0)
		return -1;
	if (i->unit)
		return remove_quadlets_container(i, engine, m, err);
	if ((replaced_settle(engine, i->name, err) < 0 && !error_forgive(err, EEXIST)) ||
	    remove_made(i, engine, id, err) < 0)
		return -1;
	for (enum replaced_stage s = 0; s < N_REPLACED_STAGES; s++) {
		if (remove_older(i, engine, s, err) < 0)
			return -1;
	}
	return 0;
}

/* A Quadlet that nobody needs would go on being started by others; its container exists only while it runs. */
static void leave_quadlet(const struct instance *before, struct manager *m)
{
	char path[PATH_MAX] = "";
	struct error err, ignored;

	(void)quadlet_path(before->scope, before->name, path, &ignored);
	if (access(path, F_OK) < 0)
		return;
	if (remove_quadlet(before, m, &err) < 0)
		note_print("the Quadlet '%s' of the instance that was replaced stays: %s", path, err.text);
	else
		note_print("removed the Quadlet '%s' of the instance that was replaced; its named volumes stay", path);
}

void made_leave(const struct instance *before, const struct instance *now, struct manager *m)
{
	bool same_engine = before->backend == now->backend;

	if (!before->made_container)
		return;
	if (before->unit && !(now->unit && strcmp(now->unit, before->unit) == 0))
		leave_quadlet(before, m);
	else if (!before->unit && !(same_engine && strcmp(before->container_name, now->container_name) == 0))
		note_print("the container '%s' of the instance that was replaced stays: '%s rm %s' removes it",
			   before->container_name, backend_kind_name(before->backend), before->container_name);
}
