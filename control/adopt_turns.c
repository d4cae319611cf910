#include "control/adopt_turns.h"

#include <string.h>

#include "control/listen_check.h"

static bool is_of(const struct instance *i, const struct container *c)
{
	return strcmp(i->container_name, c->name) == 0;
}

const struct stored *adopt_turn_instance(const struct adoption *a, const struct adopt_turn *t)
{
	for (size_t k = 0; k < a->instances.n; k++) {
		const struct stored *s = &a->instances.items[k];

		if (adoption_owns(a, s) && is_of(&s->instance, t->container))
			return s;
	}
	return NULL;
}

static bool listens_at(const struct instance *i, const struct publish *p)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if (publish_overlap(&i->ports[k], p))
			return true;
	}
	return false;
}

static bool overlap(const struct instance *a, const struct instance *b)
{
	for (size_t k = 0; k < a->n_ports; k++) {
		if (listens_at(b, &a->ports[k]))
			return true;
	}
	return false;
}

bool adopt_turn_waits(const struct adoption *a, const struct adopt_turn *turns, size_t n, size_t k)
{
	for (size_t m = 0; m < n; m++) {
		const struct stored *s = m == k || turns[m].done ? NULL : adopt_turn_instance(a, &turns[m]);

		if (s && overlap(&turns[k].wish.instance, &s->instance))
			return true;
	}
	return false;
}

/* The turn that makes the owner of this instance move away; NULL: none. */
static const struct adopt_turn *find_mover(const struct adopt_turn *turns, size_t n, const struct instance *i)
{
	for (size_t k = 0; k < n; k++) {
		if (turns[k].moves && is_of(i, turns[k].container))
			return &turns[k];
	}
	return NULL;
}

/* Will the address be free once those that move have left? */
static bool becomes_free(const struct adoption *a, const struct adopt_turn *turns, size_t n, const struct publish *p)
{
	struct error ignored;
	bool left = false;

	for (size_t k = 0; k < a->instances.n; k++) {
		const struct instance *i = &a->instances.items[k].instance;

		if (!listens_at(i, p))
			continue;
		if (!find_mover(turns, n, i))
			return false;
		left = true;
	}
	for (size_t k = 0; k < a->freed.n && !left; k++)
		left = listens_at(&a->freed.items[k].instance, p);
	return left || listen_check_address(p, &ignored) == 0;
}

static bool can_move(const struct adoption *a, const struct adopt_turn *turns, size_t n, size_t k)
{
	const struct instance *i = &turns[k].wish.instance;

	for (size_t m = 0; m < k; m++) {
		if (turns[m].moves && overlap(i, &turns[m].wish.instance))
			return false;
	}
	for (size_t m = 0; m < i->n_ports; m++) {
		if (!becomes_free(a, turns, n, &i->ports[m]))
			return false;
	}
	return true;
}

size_t adopt_turns_move(const struct adoption *a, struct adopt_turn *turns, size_t n)
{
	size_t moving = 0, before;

	for (size_t k = 0; k < n; k++) {
		turns[k].moves = !turns[k].done && adopt_turn_instance(a, &turns[k]);
		moving += turns[k].moves;
	}
	do { /* who stays is in the way of others */
		before = moving;
		for (size_t k = 0; k < n; k++) {
			if (turns[k].moves && !can_move(a, turns, n, k)) {
				turns[k].moves = false;
				moving--;
			}
		}
	} while (moving < before);
	return moving;
}
