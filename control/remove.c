#include "control/remove.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "common/clock.h"
#include "control/find.h"
#include "control/image.h"
#include "control/install.h"
#include "control/instance_engine.h"
#include "control/leftovers.h"
#include "control/note.h"
#include "control/rights.h"
#include "control/selinux.h"
#include "control/sharing.h"
#include "control/signals.h"
#include "control/sleep.h"
#include "control/tally.h"
#include "control/units_lock.h"
#include "units/paths.h"
#include "units/quadlet.h"

#define ENGINE_TIMEOUT (10 * USEC_PER_SEC)

/* A paused container holds memory, and neither `rm` nor a start by hand works on it. */
static void note_paused(const struct instance *i)
{
	_cleanup_container_ struct container c = {};
	_cleanup_engine_ struct engine *engine = NULL;
	const char *name = backend_kind_name(i->backend);
	struct error ignored;

	if (i->idle_action != IDLE_PAUSE || instance_open_engine(i, ENGINE_TIMEOUT, &engine, &ignored) < 0)
		return;
	if (engine->backend->inspect(engine, i->container_name, &c, &ignored) == 0 && c.state == CONTAINER_PAUSED)
		note_print("the container stays paused: '%s unpause %s' lets it go on, '%s rm --force %s' removes it",
			   name, i->container_name, name, i->container_name);
}

static void note_what_stays(const struct instance *i)
{
	char path[PATH_MAX];
	struct error ignored;

	if (!i->made_container)
		return;
	if (!i->unit)
		note_print("its container stays: '%s rm %s' removes it", backend_kind_name(i->backend),
			   i->container_name);
	else if (quadlet_path(i->scope, i->name, path, &ignored) == 0)
		note_print("its container's Quadlet stays: '%s'", path);
}

/* A unit's container is gone with its last run: one that still has the name is somebody else's. */
static void say_removed(const struct instance *i)
{
	_cleanup_container_ struct container c = {};
	_cleanup_engine_ struct engine *engine = NULL;
	char path[PATH_MAX];
	struct error ignored;

	if (i->unit && quadlet_path(i->scope, i->name, path, &ignored) == 0 &&
	    instance_open_engine(i, ENGINE_TIMEOUT, &engine, &ignored) == 0 &&
	    engine->backend->inspect(engine, i->container_name, &c, &ignored) == 0)
		note_done("Removed the Quadlet '%s'; the container '%s' that there is was not made by it, and stays.",
			  path, i->container_name);
	else
		note_done("Removed container '%s'.", i->container_name);
}

static bool is_among(const struct stored_list *list, const char *name)
{
	for (size_t k = 0; k < list->n; k++) {
		if (strcmp(list->items[k].instance.name, name) == 0)
			return true;
	}
	return false;
}

/* They cannot wake any more, unless they are to be removed, too (more). */
static void note_others(const struct instance *i, const struct stored_list *all, const struct stored_list *more)
{
	for (size_t k = 0; k < all->n; k++) {
		const struct stored_list one = {&all->items[k], 1};

		if (container_is_shared(i, i->container_name, &one) && !is_among(more, all->items[k].instance.name))
			note_print(
				"'%s' names the container '%s', too, and cannot wake without it: 'sockwake remove %s', or "
				"make another one of that name",
				all->items[k].instance.name, i->container_name, all->items[k].instance.name);
	}
}

/* `more`: the other instances to be removed. Only the last one that shares a container checks that it sleeps.
 * *ret_gone: the instance is removed, even if something else fails. */
static int remove_one(struct manager *m, const char *directory, const struct removal *what, const struct stored *s,
		      const struct stored_list *all, const struct stored_list *more, bool *ret_gone, struct error *err)
{
	bool goes_on = !s->problem && container_is_shared(&s->instance, s->instance.container_name, more);
	bool with_container = what->with_container && (!what->all || s->instance.made_container);
	const char *name = s->instance.name;
	char id[CONTAINER_ID_SIZE];
	struct error ignored;

	*ret_gone = false;
	if (with_container && !s->problem && made_check(&s->instance, id, err) < 0)
		return -1;
	if (install_remove(m, directory, what->scope, s, all, goes_on ? SETTLE_OWN : SETTLE_ALL, err) < 0)
		return error_context(err, "'%s' is not removed", name);
	*ret_gone = true;
	if (!what->no_selinux && !s->problem)
		selinux_unlabel_ports(&s->instance, all);
	note_done("Removed instance '%s'.", name);
	if (with_container && !s->problem) {
		if (made_remove(&s->instance, m, id, err) < 0)
			return error_context(err, "the instance '%s' is removed, its container is not", name);
		say_removed(&s->instance);
		note_others(&s->instance, all, more);
	} else if (!s->problem) {
		(void)made_heal(&s->instance, &ignored);
		note_what_stays(&s->instance);
		if (!goes_on)
			note_paused(&s->instance);
	}
	return 0;
}

static void take_out(struct stored_list *list, const char *name)
{
	size_t n = 0;

	for (size_t k = 0; k < list->n; k++) {
		if (strcmp(list->items[k].instance.name, name) != 0)
			list->items[n++] = list->items[k];
	}
	list->n = n;
}

/* A failure does not stop the others. */
static int remove_some(struct manager *m, const char *directory, const struct removal *what,
		       const struct stored_list *some, const struct stored_list *all, struct error *err)
{
	_cleanup_free_ const struct stored **removed = calloc(some->n + 1, sizeof(*removed));
	_cleanup_free_ struct stored *items = calloc(all->n + 1, sizeof(*items));
	struct stored_list left = {items, all->n}; /* the instances that may still share a container or a port */
	struct tally tally = {.of = some->n};
	const sigset_t before = signals_mask();
	size_t n_removed = 0;
	struct error why;

	if (!removed || !items)
		return error_errno(err, ENOMEM, "cannot remove instances");
	memcpy(items, all->items, all->n * sizeof(*items));
	for (size_t k = 0; k < some->n && !signals_wait(); k++) {
		const struct stored *s = &some->items[k];
		struct stored_list more = {&some->items[k + 1], some->n - k - 1};
		bool gone;

		if (remove_one(m, directory, what, s, &left, &more, &gone, &why) < 0)
			tally_failure(&tally, &why);
		if (gone) {
			take_out(&left, s->instance.name);
			removed[n_removed++] = s;
		}
	}
	if (m && install_forget(m, what->scope, removed, n_removed, &why) < 0)
		tally_failure(&tally, &why);
	signals_release(&before);
	return tally_result(&tally, err);
}

int remove_instances(const struct removal *what, struct error *err)
{
	_cleanup_stored_list_ struct stored_list all = {}, asked = {}, named = {};
	_cleanup_manager_ struct manager *m = NULL;
	_cleanup_close_ int lock = -1;
	char directory[PATH_MAX];
	struct error why;
	int r;

	if (find_instances(what->scope, what->names, directory, &asked, err) < 0 ||
	    rights_require(what->scope, err) < 0 || unit_directory(what->scope, directory, err) < 0 ||
	    units_lock_take(what->scope, directory, &lock, err) < 0)
		return -1;
	/* They may have changed while this command waited for the lock. */
	if (find_instances(what->scope, what->names, directory, &named, err) < 0 ||
	    store_scan(directory, &all, err) < 0)
		return -1;
	if (manager_connect(what->scope, &m, &why) < 0) {
		if (manager_is_there(what->scope)) {
			*err = why;
			return -1;
		}
		note_print("only the files are removed: %s", why.text);
	}
	instance_engine_ask_once(what->all ? all.n : named.n);
	if (what->all && all.n == 0)
		note_done("No managed instances found.");
	sleep_begin(what->scope, what->all ? &all : &named); /* all at once: one after the other would take long */
	r = remove_some(m, directory, what, what->all ? &all : &named, &all, err);
	leftovers_sweep_locks(what->scope, directory);
	return r;
}
