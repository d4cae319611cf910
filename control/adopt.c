#include "control/adopt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/engine.h"
#include "common/parse.h"
#include "control/adopt_containers.h"
#include "control/adopt_plan.h"
#include "control/create.h"
#include "control/install.h"
#include "control/instance_engine.h"
#include "control/leftovers.h"
#include "control/note.h"
#include "control/other_engine.h"
#include "control/rights.h"
#include "control/selinux.h"
#include "control/sharing.h"
#include "control/signals.h"
#include "control/units_lock.h"
#include "control/wish.h"
#include "instance/dependency.h"
#include "instance/json.h"
#include "units/paths.h"
#include "units/query.h"

struct adoption {
	const struct adopt_request *what;
	char directory[PATH_MAX];
	struct manager *manager;
	struct container_list containers;
	struct stored_list instances; /* in a dry run: as they would be by now */
	struct stored_list freed;     /* in a dry run: those that would be gone by now, or replaced */
	unsigned failed, of;
};

static void adoption_clear(struct adoption *a)
{
	manager_close(&a->manager);
	container_list_clear(&a->containers);
	stored_list_clear(&a->instances);
	stored_list_clear(&a->freed);
}
#define _cleanup_adoption_ _cleanup_(adoption_clear)

/* A dry run has changed nothing, and keeps its own account (adopt_plan.h). */
static int scan_again(struct adoption *a, struct error *err)
{
	if (a->what->dry_run)
		return 0;
	stored_list_clear(&a->instances);
	return store_scan(a->directory, &a->instances, err);
}

/* Made by adoption, from this engine? */
static bool is_adopted(const struct adoption *a, const struct stored *s)
{
	const struct instance *i = &s->instance;

	return !s->problem && i->adopted && instances_share_engine(i, &a->what->base);
}

/* Is the file of this unit gone, for the manager? *ret_runs: the unit still runs. */
static int unit_is_gone(const struct adoption *a, const char *unit, bool *ret, bool *ret_runs, struct error *err)
{
	struct unit_state state = {};
	int r = manager_query(a->manager, &unit, 1, &state, err);

	*ret = r == 0 && strcmp(state.load_state, "loaded") != 0;
	*ret_runs = r == 0 && strcmp(state.active_state, "active") == 0;
	unit_states_clear(&state, 1);
	return r;
}

/* A unit may remove its sleeping container, and the labels may be the image's: in both cases the unit must be gone. */
static int is_lost(const struct adoption *a, const struct instance *i, bool *ret, struct error *err)
{
	const struct container *c = adopt_find_container(&a->containers, i->container_name);
	bool runs;

	*ret = false;
	if (c && c->unreadable)
		return 0;
	*ret = c && c->id[0] ? !wish_is_there(c) : !i->unit;
	return i->unit && !*ret ? unit_is_gone(a, i->unit, ret, &runs, err) : 0;
}

static int remove_instance(struct adoption *a, const struct stored *s, struct error *err)
{
	const sigset_t before = signals_mask();
	int r;

	/* the container itself may remain, without labels or with another instance */
	r = install_remove(a->manager, a->directory, a->what->base.scope, s, &a->instances, SETTLE_OWN, err);
	if (r < 0) {
		error_context(err, "'%s' is not removed", s->instance.name);
	} else {
		if (!s->instance.no_selinux)
			selinux_unlabel_ports(&s->instance, &a->instances);
		r = install_forget(a->manager, a->what->base.scope, &s, 1, err);
	}
	signals_release(&before);
	return r;
}

static int prune_one(struct adoption *a, const struct stored *s, bool *ret_removed, struct error *err)
{
	bool lost;

	*ret_removed = false;

	if (is_lost(a, &s->instance, &lost, err) < 0)
		return -1;
	if (!lost)
		return 0;
	if (!a->what->dry_run && remove_instance(a, s, err) < 0)
		return -1;
	note_done("%s '%s': the container '%s' is gone, or its labels are",
		  a->what->dry_run ? "Would remove" : "Removed", s->instance.name, s->instance.container_name);
	*ret_removed = true;
	return 0;
}

/* A failure does not stop the others. */
static void tell(struct adoption *a, const struct error *err)
{
	a->failed++;
	note_print("%s", err->text);
}

static int prune(struct adoption *a, struct error *err)
{
	struct error one;
	bool removed;

	for (size_t k = 0; k < a->instances.n;) {
		const struct stored *s = &a->instances.items[k];

		removed = false;
		if (is_adopted(a, s) && (!a->what->name || strcmp(s->instance.container_name, a->what->name) == 0)) {
			a->of++;
			if (prune_one(a, s, &removed, &one) < 0)
				tell(a, &one);
		}
		if (!removed || !a->what->dry_run)
			k++;
		else if (adopt_plan_removal(&a->instances, &a->freed, s->instance.name, err) < 0)
			return -1;
	}
	return scan_again(a, err);
}

/* Is this the name that an instance gets instead, if a unit has the assumed one? (create_unit.c) */
static bool is_wake_of(const char *name, const char *assumed)
{
	size_t len = strlen(assumed);

	return strncmp(name, assumed, len) == 0 && strcmp(name + len, "-wake") == 0;
}

/* The instance adopted for the same container under another name, which its labels no longer give. */
static const struct stored *find_renamed(const struct adoption *a, const struct create_request *r)
{
	for (size_t k = 0; k < a->instances.n; k++) {
		const struct stored *s = &a->instances.items[k];

		if (is_adopted(a, s) && strcmp(s->instance.container_name, r->instance.container_name) == 0 &&
		    strcmp(s->instance.name, r->instance.name) != 0 &&
		    !(r->name_assumed && is_wake_of(s->instance.name, r->instance.name)))
			return s;
	}
	return NULL;
}

/* Where it listens, and what it wakes before its container. NULL: out of memory. */
static char *describe(const struct instance *i)
{
	char spec[PUBLISH_TEXT_MAX], dependency[DEPENDENCY_TEXT_MAX], *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (size_t k = 0; k < i->n_ports; k++) {
		publish_format(&i->ports[k], spec);
		fprintf(f, "%s%s", k ? ", " : ": listens on ", spec);
	}
	for (size_t k = 0; k < i->n_dependencies; k++)
		fprintf(f, "%s%s", k ? ", then " : "; first wakes ",
			dependency_format(&i->dependencies[k], dependency));
	return fclose(f) == 0 ? text : NULL;
}

/* Says which container an error is about, unless it does itself. */
static int name_container(const char *container, struct error *err)
{
	char named[CONTAINER_NAME_SIZE + 32];

	snprintf(named, sizeof(named), "the container '%s'", container);
	return strstr(err->text, named) ? -1 : error_context(err, "%s", named);
}

static int create(struct adoption *a, struct create_request *r, struct error *err)
{
	static const char *const done[] = {[OUTCOME_CREATED] = "Created",
					   [OUTCOME_REPLACED] = "Replaced",
					   [OUTCOME_REFRESHED] = "Refreshed",
					   [OUTCOME_UNCHANGED] = "Unchanged"};
	static const char *const planned[] = {[OUTCOME_CREATED] = "Would create",
					      [OUTCOME_REPLACED] = "Would replace",
					      [OUTCOME_REFRESHED] = "Would refresh",
					      [OUTCOME_UNCHANGED] = "Unchanged"};
	_cleanup_free_ char *story = NULL;
	enum outcome outcome;

	r->dry_run = a->what->dry_run;
	r->freed = &a->freed;
	if (create_instance(r, a->manager, a->directory, &a->instances, &outcome, err) < 0)
		return name_container(r->instance.container_name, err);
	if (outcome == OUTCOME_CREATED || outcome == OUTCOME_REPLACED) /* else the instance is the same */
		story = describe(&r->instance);
	note_done("%s '%s' for the container '%s'%s", (a->what->dry_run ? planned : done)[outcome], r->instance.name,
		  r->instance.container_name, story ? story : "");
	if (outcome == OUTCOME_UNCHANGED)
		return 0;
	return a->what->dry_run ? adopt_plan_instance(&a->instances, &a->freed, &r->instance, err) : scan_again(a, err);
}

static void note_renamed(const struct adoption *a, const char *before)
{
	note_done("%s '%s', which that one replaces", a->what->dry_run ? "Would remove" : "Removed", before);
}

/* A dry run. If the new one is refused, the old one stays. */
static int plan_renaming(struct adoption *a, const struct stored *old, struct create_request *r, struct error *err)
{
	_cleanup_free_ char *before = strdup(old->instance.name);

	if (!before)
		return error_errno(err, ENOMEM, "cannot rename '%s'", old->instance.name);
	if (adopt_plan_removal(&a->instances, &a->freed, before, err) < 0)
		return -1;
	if (create(a, r, err) < 0) {
		adopt_plan_return(&a->instances, &a->freed);
		return -1;
	}
	note_renamed(a, before);
	return 0;
}

/* The old instance goes first: both would listen on the same ports. It comes back if the new one fails. */
static int rename_instance(struct adoption *a, const struct stored *old, struct create_request *r, struct error *err)
{
	_cleanup_free_ char *json = instance_to_json(&old->instance);
	_cleanup_instance_ struct instance before = {};
	struct error ignored;

	if (!json)
		return error_errno(err, ENOMEM, "cannot rename '%s'", old->instance.name);
	if (remove_instance(a, old, err) < 0 || scan_again(a, err) < 0)
		return -1;
	if (create(a, r, err) == 0) {
		if (instance_from_json(json, &before, &ignored) == 0)
			note_renamed(a, before.name);
		return 0;
	}
	if (instance_from_json(json, &before, &ignored) == 0)
		(void)install_write(a->manager, a->directory, &before, false, &ignored);
	(void)scan_again(a, &ignored);
	return -1;
}

/* Refuses the remains of a Quadlet that was deleted while its container ran. */
static int check_leftover(const struct adoption *a, const struct container *c, struct error *err)
{
	const char *engine = backend_kind_name(a->what->base.backend), *unit = container_label(c, UNIT_LABEL);
	bool gone = false, runs = false;

	if (!unit || !c->id[0] || !service_name_is_valid(unit))
		return 0;
	if (unit_is_gone(a, unit, &gone, &runs, err) < 0)
		return -1;
	return gone && runs
		       ? error_set(
				 err, ENOENT,
				 "the container '%s' is left of '%s', whose file is gone: '%s rm --force %s' removes it",
				 c->name, unit, engine, c->name)
		       : 0;
}

/* Refuses a name for which another container asks, too: else each would take the instance from the other. */
static int check_name(const struct adoption *a, const struct create_request *r, struct error *err)
{
	for (size_t k = 0; k < a->instances.n; k++) {
		const struct instance *i = &a->instances.items[k].instance;
		_cleanup_create_request_ struct create_request other = {};
		const struct container *c;
		struct error ignored;

		if (!is_adopted(a, &a->instances.items[k]) || strcmp(i->name, r->instance.name) != 0 ||
		    strcmp(i->container_name, r->instance.container_name) == 0)
			continue;
		c = adopt_find_container(&a->containers, i->container_name);
		if (c && wish_is_there(c) && a->what->read_labels(c, &a->what->base, &other, &ignored) == 0 &&
		    strcmp(other.instance.name, i->name) == 0)
			return error_set(err, EEXIST,
					 "the containers '%s' and '%s' ask for one instance '%s': give one of them "
					 "another name by the label 'sockwake.name'",
					 i->container_name, r->instance.container_name, i->name);
	}
	return 0;
}

static int adopt_one(struct adoption *a, const struct container *c, struct error *err)
{
	_cleanup_create_request_ struct create_request r = {};
	const struct stored *renamed;

	if (check_leftover(a, c, err) < 0)
		return -1;
	if (a->what->read_labels(c, &a->what->base, &r, err) < 0)
		return -1;
	if (check_name(a, &r, err) < 0)
		return -1;
	renamed = find_renamed(a, &r);
	if (!renamed)
		return create(a, &r, err);
	return a->what->dry_run ? plan_renaming(a, renamed, &r, err) : rename_instance(a, renamed, &r, err);
}

/* Quadlets are those that the manager knows. */
static bool has_quadlets(const struct adoption *a)
{
	return engine_backend(a->what->base.backend)->has_quadlets;
}

static void note_nothing(const struct adoption *a)
{
	const char *title = engine_backend(a->what->base.backend)->title;

	if (has_quadlets(a))
		note_print("no container of %s has the label '" LABEL_PREFIX
			   "publish': there is nothing to adopt (a new "
			   "Quadlet is known after 'systemctl %sdaemon-reload')",
			   title, manager_option(a->manager));
	else
		note_print("no container of %s has the label '" LABEL_PREFIX "publish': there is nothing to adopt",
			   title);
}

static int no_container(const struct adoption *a, struct error *err)
{
	const char *name = a->what->name, *engine = backend_kind_name(a->what->base.backend);

	if (has_quadlets(a))
		return error_set(err, ENOENT,
				 "there is no container '%s', nor a Quadlet's unit that makes one: '%s ps -a' lists "
				 "those there are, and a new Quadlet is known after 'systemctl %sdaemon-reload'",
				 name, engine, manager_option(a->manager));
	return error_set(err, ENOENT, "there is no container '%s': '%s ps -a' lists those there are", name, engine);
}

static int adopt_some(struct adoption *a, struct error *err)
{
	const struct container *c = a->what->name ? adopt_find_container(&a->containers, a->what->name) : NULL;
	size_t wishes = 0;
	struct error one;

	if (a->what->name && !c)
		return no_container(a, err);
	if (c && !wish_is_there(c))
		return error_set(err, EINVAL,
				 "the container '%s' has no label that begins with '" LABEL_PREFIX "': give it "
				 "'" LABEL_PREFIX "publish=PORT:CPORT', or use 'sockwake create'",
				 a->what->name);
	if (c)
		return adopt_one(a, c, err);
	for (size_t k = 0; k < a->containers.n; k++) {
		c = &a->containers.items[k];
		if (!wish_is_there(c))
			continue;
		wishes++;
		a->of++;
		if (adopt_one(a, c, &one) < 0)
			tell(a, &one);
	}
	if (!wishes)
		note_nothing(a);
	return 0;
}

static int list_containers(struct adoption *a, struct error *err)
{
	return adopt_list_containers(&a->what->base, a->manager, &a->containers, err);
}

/* Lists the containers again after pruning: a Quadlet's container is removed when it is put to sleep. */
static int prune_and_adopt(struct adoption *a, struct error *err)
{
	if (list_containers(a, err) < 0 || (a->what->prune && (prune(a, err) < 0 || list_containers(a, err) < 0)))
		return -1;
	if ((a->what->name || a->what->all) && adopt_some(a, err) < 0)
		return -1;
	if (a->failed)
		return error_set(err, 0, "%u of %u failed: the reasons are above", a->failed, a->of);
	return 0;
}

int adopt_requested(const struct adopt_request *what, struct error *err)
{
	_cleanup_adoption_ struct adoption a = {.what = what};
	enum scope scope = what->base.scope;
	_cleanup_close_ int lock = -1;
	int r;

	if (rights_require(scope, err) < 0 || unit_directory(scope, a.directory, err) < 0 ||
	    units_lock_take(scope, a.directory, &lock, err) < 0 || store_scan(a.directory, &a.instances, err) < 0 ||
	    manager_connect(scope, &a.manager, err) < 0 ||
	    create_check_directory(a.manager, scope, a.directory, err) < 0)
		return -1;
	instance_engine_ask_once(what->name ? 1 : SIZE_MAX);
	r = prune_and_adopt(&a, err);
	if (r < 0)
		other_engine_mention(&what->base, what->backend_assumed, err);
	if (!what->dry_run)
		leftovers_sweep_locks(scope, a.directory);
	return r;
}
