#include "control/leftovers.h"

#include <stdlib.h>

#include "backends/backend.h"
#include "backends/engine.h"
#include "lifecycle/lock.h"
#include "lifecycle/lock_sweep.h"
#include "units/paths.h"
#include "units/store.h"

struct names {
	char (*items)[LOCK_NAME_MAX];
	const char **pointers;
	size_t n;
};

static void names_clear(struct names *names)
{
	free(names->items);
	free(names->pointers);
}

/* Has room for every container of every instance. */
static int names_init(struct names *ret, const struct stored_list *all)
{
	size_t most = 0;

	for (size_t k = 0; k < all->n; k++)
		most += 1 + all->items[k].instance.n_dependencies;
	*ret = (struct names){.items = calloc(most + 1, sizeof(*ret->items)),
			      .pointers = calloc(most + 1, sizeof(*ret->pointers))};
	return ret->items && ret->pointers ? 0 : -1;
}

static void add(struct names *names, const struct instance *i, const char *socket, const char *container)
{
	names->pointers[names->n] = lock_name(i->backend, socket, container, names->items[names->n]);
	names->n++;
}

/* False: its containers are unknown. */
static bool add_instance(struct names *names, const struct stored *s)
{
	const struct instance *i = &s->instance;
	char socket[ENGINE_SOCKET_MAX];
	struct error ignored;

	if (s->problem || engine_find_socket(i->backend, i->scope, i->engine_socket, socket, &ignored) < 0)
		return false;
	add(names, i, socket, i->container_name);
	for (size_t k = 0; k < i->n_dependencies; k++)
		add(names, i, socket, i->dependencies[k].container);
	return true;
}

void leftovers_sweep_locks(enum scope scope, const char *directory)
{
	_cleanup_stored_list_ struct stored_list all = {};
	_cleanup_(names_clear) struct names names = {};
	char runtime[PATH_MAX];
	struct error ignored;
	bool all_known = true;

	if (runtime_directory_find(scope, runtime, &ignored) < 0 || store_scan(directory, &all, &ignored) < 0 ||
	    names_init(&names, &all) < 0)
		return;
	for (size_t k = 0; k < all.n; k++)
		all_known &= add_instance(&names, &all.items[k]);
	lock_sweep(runtime, all_known, names.pointers, names.n);
}
