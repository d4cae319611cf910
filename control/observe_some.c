#include "control/observe_some.h"

#include "common/clock.h"

#include <errno.h>
#include <string.h>

#include "control/sharing.h"

static bool is_among(const struct stored *s, const struct stored_list *some)
{
	for (size_t k = 0; k < some->n; k++) {
		if (strcmp(some->items[k].instance.name, s->instance.name) == 0)
			return true;
	}
	return false;
}

/* One request gets all containers of an engine, and resolves names and identifiers. */
static bool may_share(const struct stored *s, const struct stored_list *some)
{
	for (size_t k = 0; k < some->n && !s->problem; k++) {
		if (!some->items[k].problem && instances_share_engine(&some->items[k].instance, &s->instance))
			return true;
	}
	return false;
}

int observe_some(enum scope scope, const char *directory, const struct stored_list *some, struct observation **ret,
		 struct error *ret_trouble, struct error *err)
{
	_cleanup_stored_list_ struct stored_list all = {};
	_cleanup_free_ struct stored *looked_at = NULL; /* their members belong to `some` and `all` */
	struct stored_list list = {};
	int r;

	if (store_scan(directory, &all, err) < 0)
		return -1;
	looked_at = calloc(some->n + all.n + 1, sizeof(*looked_at));
	if (!looked_at)
		return error_errno(err, ENOMEM, "cannot look at the instances");
	memcpy(looked_at, some->items, some->n * sizeof(*looked_at));
	list = (struct stored_list){.items = looked_at, .n = some->n};
	for (size_t k = 0; k < all.n; k++) {
		if (!is_among(&all.items[k], some) && may_share(&all.items[k], some))
			looked_at[list.n++] = all.items[k];
	}
	r = observe(scope, &list, OBSERVE_PATIENCE, ret, ret_trouble, err);
	for (size_t k = 0; r == 0 && k < some->n; k++)
		(*ret)[k].stored = &some->items[k];
	return r;
}
