#include "control/adopt_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "instance/json.h"

/* Moves *s to the list, which owns it from then on. */
static int add(struct stored_list *list, struct stored *s, struct error *err)
{
	struct stored *more = reallocarray(list->items, list->n + 1, sizeof(*more));

	if (!more)
		return error_errno(err, ENOMEM, "cannot remember '%s'", s->instance.name);
	list->items = more;
	list->items[list->n++] = *s;
	*s = (struct stored){};
	return 0;
}

int adopt_plan_removal(struct stored_list *instances, struct stored_list *freed, const char *name, struct error *err)
{
	for (size_t k = 0; k < instances->n; k++) {
		struct stored *s = &instances->items[k];

		if (strcmp(s->instance.name, name) != 0)
			continue;
		if (add(freed, s, err) < 0)
			return -1;
		memmove(s, s + 1, (--instances->n - k) * sizeof(*s));
		return 0;
	}
	return 0;
}

int adopt_plan_instance(struct stored_list *instances, struct stored_list *freed, const struct instance *i,
			struct error *err)
{
	_cleanup_free_ char *json = instance_to_json(i);
	_cleanup_stored_ struct stored planned = {.enabled = true};

	if (!json)
		return error_errno(err, ENOMEM, "cannot remember '%s'", i->name);
	if (adopt_plan_removal(instances, freed, i->name, err) < 0 ||
	    instance_from_json(json, &planned.instance, err) < 0)
		return -1;
	return add(instances, &planned, err);
}

void adopt_plan_return(struct stored_list *instances, struct stored_list *freed, const char *name)
{
	struct error ignored;

	for (size_t k = freed->n; k-- > 0;) {
		struct stored *s = &freed->items[k];

		if (strcmp(s->instance.name, name) != 0)
			continue;
		if (add(instances, s, &ignored) == 0)
			memmove(s, s + 1, (--freed->n - k) * sizeof(*s));
		return;
	}
}
