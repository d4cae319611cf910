#include "control/adopt.h"

#include <errno.h>

#include "backends/engine.h"
#include "control/adopt_container.h"
#include "control/adopt_containers.h"
#include "control/adopt_order.h"
#include "control/adopt_prune.h"
#include "control/create.h"
#include "control/instance_engine.h"
#include "control/leftovers.h"
#include "control/note.h"
#include "control/other_engine.h"
#include "control/rights.h"
#include "control/units_lock.h"
#include "control/wish.h"
#include "units/paths.h"

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

	if (a->what->name && !c)
		return no_container(a, err);
	if (c && !wish_is_there(c))
		return error_set(err, EINVAL,
				 "the container '%s' has no label that begins with '" LABEL_PREFIX "': give it "
				 "'" LABEL_PREFIX "publish=PORT:CPORT', or use 'sockwake create'",
				 a->what->name);
	if (c)
		return adopt_container(a, c, err);
	if (adopt_in_order(a, &wishes, err) < 0)
		return -1;
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
	if (list_containers(a, err) < 0 || (a->what->prune && (adopt_prune(a, err) < 0 || list_containers(a, err) < 0)))
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
