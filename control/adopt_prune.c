#include "control/adopt_prune.h"

#include <string.h>

#include "control/adopt_containers.h"
#include "control/adopt_plan.h"
#include "control/note.h"
#include "control/wish.h"

/* A unit may remove its sleeping container, and the labels may be the image's: in both cases the unit must be gone. */
static int is_lost(const struct adoption *a, const struct instance *i, bool *ret, struct error *err)
{
	const struct container *c = adopt_find_container(&a->containers, i->container_name);
	bool runs;

	*ret = false;
	if (c && c->unreadable)
		return 0;
	*ret = c && c->id[0] ? !wish_is_there(c) : !i->unit;
	return i->unit && !*ret ? adoption_unit_is_gone(a, i->unit, ret, &runs, err) : 0;
}

static int prune_one(struct adoption *a, const struct stored *s, bool *ret_removed, struct error *err)
{
	bool lost;

	*ret_removed = false;

	if (is_lost(a, &s->instance, &lost, err) < 0)
		return -1;
	if (!lost)
		return 0;
	if (!a->what->dry_run && adoption_remove(a, s, err) < 0)
		return -1;
	note_done("%s '%s': the container '%s' is gone, or its labels are",
		  a->what->dry_run ? "Would remove" : "Removed", s->instance.name, s->instance.container_name);
	*ret_removed = true;
	return 0;
}

int adopt_prune(struct adoption *a, struct error *err)
{
	bool removed, failed, adopts = a->what->all || a->what->name;
	struct error one;

	for (size_t k = 0; k < a->instances.n;) {
		const struct stored *s = &a->instances.items[k];

		removed = false;
		if (adoption_owns(a, s) && (!a->what->name || strcmp(s->instance.container_name, a->what->name) == 0)) {
			failed = prune_one(a, s, &removed, &one) < 0;
			if (failed)
				adoption_tell(a, &one);
			if (failed || removed || !adopts) /* else its container is counted when it is adopted */
				a->of++;
		}
		if (!removed || !a->what->dry_run)
			k++;
		else if (adopt_plan_removal(&a->instances, &a->freed, s->instance.name, err) < 0)
			return -1;
	}
	return adoption_scan_again(a, err);
}
