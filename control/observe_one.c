#include "control/observe_one.h"

#include <errno.h>
#include <string.h>

#include "control/sharing.h"

/* One request gets all containers of an engine, and resolves names and identifiers. */
static bool may_share(const struct stored *other, const struct stored *s)
{
	return !other->problem && strcmp(other->instance.name, s->instance.name) != 0 &&
	       instances_share_engine(&other->instance, &s->instance);
}

int observe_one(enum scope scope, const char *directory, const struct stored *s, struct observation **ret,
		struct error *ret_trouble, struct error *err)
{
	_cleanup_stored_list_ struct stored_list all = {};
	_cleanup_free_ struct stored *looked_at = NULL; /* their members belong to `all` */
	struct stored_list list = {};
	int r;

	if (store_scan(directory, &all, err) < 0)
		return -1;
	looked_at = calloc(all.n + 1, sizeof(*looked_at));
	if (!looked_at)
		return error_errno(err, ENOMEM, "cannot look at the instances");
	list = (struct stored_list){.items = looked_at, .n = 1};
	looked_at[0] = *s;
	for (size_t k = 0; k < all.n && !s->problem; k++) {
		if (may_share(&all.items[k], s))
			looked_at[list.n++] = all.items[k];
	}
	r = observe(scope, &list, ret, ret_trouble, err);
	if (r == 0)
		(*ret)[0].stored = s;
	return r;
}
