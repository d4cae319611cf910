#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/each.h"
#include "common/clock.h"
#include "control/image.h"
#include "control/install.h"
#include "control/instance_engine.h"
#include "control/leftovers.h"
#include "control/note.h"
#include "control/selinux.h"
#include "control/sharing.h"
#include "control/units_lock.h"
#include "units/paths.h"
#include "units/quadlet.h"

#define ENGINE_TIMEOUT (10 * USEC_PER_SEC)

/* It holds memory, and neither `rm` nor a start by hand takes it as it is. */
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

/* `more`: who else is to be removed. Whether the container sleeps at the end is the last one's business. *ret_gone: the
 * instance is, whatever else fails. */
static int remove_one(struct manager *m, const char *directory, const struct arguments *a, const struct stored *s,
		      const struct stored_list *all, const struct stored_list *more, bool *ret_gone, struct error *err)
{
	bool goes_on = !s->problem && container_is_shared(&s->instance, s->instance.container_name, more);
	bool with_container = a->with_container && (!a->all || s->instance.made_container);
	const char *name = s->instance.name;
	struct error ignored;

	*ret_gone = false;
	if (with_container && !s->problem && made_check(&s->instance, err) < 0)
		return -1;
	if (install_remove(m, directory, a->scope, s, all, goes_on ? SETTLE_OWN : SETTLE_ALL, err) < 0)
		return error_context(err, "'%s' is not removed", name);
	*ret_gone = true;
	if (!a->no_selinux && !s->problem)
		selinux_unlabel_ports(&s->instance, all);
	printf("Removed instance '%s'.\n", name);
	if (with_container && !s->problem) {
		if (made_remove(&s->instance, m, err) < 0)
			return error_context(err, "the instance '%s' is removed, its container is not", name);
		printf("Removed container '%s'.\n", s->instance.container_name);
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

/* One that cannot be removed does not keep the others. */
static int remove_some(struct manager *m, const char *directory, const struct arguments *a,
		       const struct stored_list *some, const struct stored_list *all, struct error *err)
{
	_cleanup_free_ const struct stored **removed = calloc(some->n + 1, sizeof(*removed));
	_cleanup_free_ struct stored *items = calloc(all->n + 1, sizeof(*items));
	struct stored_list left = {items, all->n}; /* what still shares a container or a port */
	struct tally tally = {.of = some->n};
	size_t n_removed = 0;

	if (!removed || !items)
		return error_errno(err, ENOMEM, "cannot remove instances");
	memcpy(items, all->items, all->n * sizeof(*items));
	for (size_t k = 0; k < some->n; k++) {
		const struct stored *s = &some->items[k];
		struct stored_list more = {&some->items[k + 1], some->n - k - 1};
		struct error why;
		bool gone;

		if (remove_one(m, directory, a, s, &left, &more, &gone, &why) < 0)
			tally_failure(&tally, &why);
		if (gone) {
			take_out(&left, s->instance.name);
			removed[n_removed++] = s;
		}
	}
	if (m && install_forget(m, a->scope, removed, n_removed, err) < 0)
		tally_failure(&tally, err);
	return tally_result(&tally, err);
}

static const struct option_table table = {
	.usage = "sockwake remove [--with-container] [--no-selinux] [--scope system|user] NAME... | --all",
	.about = "Removes instances: their containers are put to sleep and stay as they are",
	ARGUMENTS(TAKES_NAMES | TAKES_ALL | TAKES_SELINUX | TAKES_CONTAINER),
};

static int remove_instances(int argc, char *argv[], struct error *err)
{
	_cleanup_stored_list_ struct stored_list all = {}, asked = {}, named = {};
	_cleanup_manager_ struct manager *m = NULL;
	_cleanup_close_ int lock = -1;
	char directory[PATH_MAX];
	struct arguments a;
	int r;

	if (arguments_parse(argc, argv, &table, &a, err) < 0 || each_find_instances(&a, directory, &asked, err) < 0)
		return -1;
	if (scope_require_rights(a.scope, err) < 0 || unit_directory(a.scope, directory, err) < 0 ||
	    units_lock_take(a.scope, directory, &lock, err) < 0)
		return -1;
	/* Somebody may have made others of them while this one waited. */
	if (each_find_instances(&a, directory, &named, err) < 0)
		return -1;
	if (store_scan(directory, &all, err) < 0)
		return -1;
	if (manager_connect(a.scope, &m, err) < 0) {
		if (manager_is_there(a.scope))
			return -1;
		note_print("only the files are removed: %s", err->text);
	}
	if (a.all && all.n == 0)
		puts("No managed instances found.");
	r = remove_some(m, directory, &a, a.all ? &all : &named, &all, err);
	leftovers_sweep_locks(a.scope, directory);
	return r;
}

const struct command remove_command = {"remove", &table, remove_instances};
