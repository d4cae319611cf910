#include "control/adopt_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/adopt_container.h"
#include "control/adopt_plan.h"
#include "control/adopt_turns.h"
#include "control/install.h"
#include "control/wish.h"
#include "instance/json.h"

static void adopt_next(struct adoption *a, struct adopt_turn *t)
{
	struct error err;

	t->done = true;
	if (adopt_container(a, t->container, &err) < 0)
		adoption_tell(a, &err);
}

static int leave(struct adoption *a, struct adopt_turn *t, struct error *err)
{
	const struct stored *s = adopt_turn_instance(a, t);

	t->before = instance_to_json(&s->instance);
	if (!t->before)
		return error_errno(err, ENOMEM, "cannot replace '%s'", s->instance.name);
	if (a->what->dry_run)
		return adopt_plan_removal(&a->instances, &a->freed, s->instance.name, err);
	return adoption_remove(a, s, err) < 0 ? -1 : adoption_scan_again(a, err);
}

/* The address may be another's by now; then the failure that was told is all that can be said. */
static void bring_back(struct adoption *a, const struct adopt_turn *t)
{
	_cleanup_instance_ struct instance i = {};
	struct error ignored;

	if (instance_from_json(t->before, &i, &ignored) < 0)
		return;
	if (a->what->dry_run)
		adopt_plan_return(&a->instances, &a->freed, i.name);
	else
		(void)install_write(a->manager, a->directory, &i, false, &ignored);
	(void)adoption_scan_again(a, &ignored);
}

/* All leave before the first one comes. */
static void exchange(struct adoption *a, struct adopt_turn *turns, size_t n)
{
	struct error err;

	for (size_t k = 0; k < n; k++) {
		if (!turns[k].moves)
			continue;
		turns[k].done = true;
		if (leave(a, &turns[k], &err) < 0) {
			turns[k].moves = false;
			adoption_tell(a, &err);
		}
	}
	a->exchanging = true;
	for (size_t k = 0; k < n; k++) {
		if (turns[k].moves && adopt_container(a, turns[k].container, &err) < 0) {
			adoption_tell(a, &err);
			bring_back(a, &turns[k]);
		}
	}
	a->exchanging = false;
}

/* Those that nobody is in the way of; false: all others wait. */
static bool adopt_free(struct adoption *a, struct adopt_turn *turns, size_t n)
{
	bool progress = false;

	for (size_t k = 0; k < n; k++) {
		if (turns[k].done || adopt_turn_waits(a, turns, n, k))
			continue;
		adopt_next(a, &turns[k]);
		progress = true;
	}
	return progress;
}

static void adopt_turns(struct adoption *a, struct adopt_turn *turns, size_t n)
{
	for (;;) {
		while (adopt_free(a, turns, n))
			;
		if (adopt_turns_move(a, turns, n) == 0)
			break;
		exchange(a, turns, n);
	}
	for (size_t k = 0; k < n; k++) {
		if (!turns[k].done)
			adopt_next(a, &turns[k]);
	}
}

/* Labels that cannot be read are told when their turn comes. */
static struct adopt_turn *plan(const struct adoption *a, size_t *ret_n)
{
	struct adopt_turn *turns = calloc(a->containers.n + 1, sizeof(*turns));
	struct error ignored;

	*ret_n = 0;
	for (size_t k = 0; turns && k < a->containers.n; k++) {
		struct adopt_turn *t = &turns[*ret_n];

		t->container = &a->containers.items[k];
		if (!wish_is_there(t->container))
			continue;
		if (a->what->read_labels(t->container, &a->what->base, &t->wish, &ignored) < 0)
			create_request_clear(&t->wish);
		(*ret_n)++;
	}
	return turns;
}

int adopt_in_order(struct adoption *a, size_t *ret, struct error *err)
{
	struct adopt_turn *turns = plan(a, ret);

	if (!turns)
		return error_errno(err, ENOMEM, "cannot adopt containers");
	a->of += (unsigned)*ret;
	adopt_turns(a, turns, *ret);
	for (size_t k = 0; k < *ret; k++) {
		create_request_clear(&turns[k].wish);
		free(turns[k].before);
	}
	free(turns);
	return 0;
}
