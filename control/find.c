#include "control/find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/nearest.h"
#include "control/unfinished.h"
#include "units/paths.h"

/* Does an ordinary user ask for an instance of the system scope? */
static bool is_in_system_scope(const char *name)
{
	char directory[PATH_MAX];
	struct error ignored;
	_cleanup_stored_ struct stored s = {};

	return unit_directory(SCOPE_SYSTEM, directory, &ignored) == 0 && store_read(directory, name, &s, &ignored) == 0;
}

/* The instance that wakes the container of this name: those of Quadlets are called NAME-wake. NULL: none. */
static const char *find_waker(const struct stored_list *all, const char *container)
{
	for (size_t k = 0; k < all->n; k++) {
		const struct instance *i = &all->items[k].instance;

		if (!all->items[k].problem && i->container_name && strcmp(i->container_name, container) == 0)
			return i->name;
	}
	return NULL;
}

/* The instance of the container of that name, or with the most similar name; false: there is none. */
static bool find_meant(const char *directory, const char *name, char ret[static UNIT_NAME_MAX])
{
	_cleanup_stored_list_ struct stored_list all = {};
	_cleanup_free_ const char **names = NULL;
	const char *meant = NULL;
	struct error ignored;

	if (store_scan(directory, &all, &ignored) == 0 && (names = calloc(all.n + 1, sizeof(*names)))) {
		for (size_t k = 0; k < all.n; k++)
			names[k] = all.items[k].instance.name;
		meant = find_waker(&all, name);
		if (!meant)
			meant = nearest(name, names, all.n);
	}
	snprintf(ret, UNIT_NAME_MAX, "%s", meant ? meant : "");
	return meant != NULL;
}

int find_instance(enum scope scope, const char *name, char ret_directory[static PATH_MAX], struct stored *ret,
		  struct error *err)
{
	char meant[UNIT_NAME_MAX];

	if (unit_directory(scope, ret_directory, err) < 0)
		return -1;
	if (store_read(ret_directory, name, ret, err) == 0)
		return 0;
	if (err->code != ENOENT)
		return -1;
	if (scope == SCOPE_USER && is_in_system_scope(name))
		return error_set(err, ENOENT,
				 "'%s' is an instance of the system: use 'sudo sockwake', or --scope system", name);
	if (unfinished_is_there(scope, name))
		return error_set(err, ENOENT, UNFINISHED_REMOVAL, name);
	if (find_meant(ret_directory, name, meant))
		return error_set(err, ENOENT, "there is no instance '%s' in the %s scope: did you mean '%s'?", name,
				 scope_name(scope), meant);
	return error_set(err, ENOENT,
			 "there is no instance '%s' in the %s scope: 'sockwake list --scope %s' shows those there are",
			 name, scope_name(scope), scope_name(scope));
}

int find_instances(enum scope scope, char *const *names, char ret_directory[static PATH_MAX], struct stored_list *ret,
		   struct error *err)
{
	size_t n = 0;

	while (names && names[n])
		n++;
	*ret = (struct stored_list){.items = calloc(n + 1, sizeof(*ret->items))};
	if (!ret->items)
		return error_errno(err, ENOMEM, "cannot read the instances");
	for (size_t k = 0; k < n; k++) {
		if (find_instance(scope, names[k], ret_directory, &ret->items[ret->n++], err) < 0)
			return -1;
	}
	return 0;
}
