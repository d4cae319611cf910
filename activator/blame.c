#include "activator/blame.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "units/log_command.h"

#define NEEDED_MAX 32

/* The units that do not run, of those that a unit needs, and that they need in turn. */
struct chain {
	struct unit *unit;
	char names[NEEDED_MAX][UNIT_NAME_TEXT_MAX];
	size_t n;
	const char *failed; /* the first one that has */
};

static bool is_known(const struct chain *c, const char *name)
{
	for (size_t k = 0; k < c->n; k++) {
		if (strcmp(c->names[k], name) == 0)
			return true;
	}
	return false;
}

/* Is systemd about to try it again (Restart=), or does it already? */
static bool is_tried_again(struct unit *u, const char *name)
{
	struct error ignored;
	struct unit_view v;

	return unit_look_at(u, name, &v, &ignored) == 0 && (unit_is_restarting(&v) || v.restarts > 0);
}

/* One that has not failed, and does not run either, was given up for the same reason. */
static void add_needed(void *data, const char *name)
{
	struct chain *c = data;
	struct error ignored;
	bool failed;
	char state[16];

	if (c->failed || c->n == NEEDED_MAX || is_known(c, name) || unit_state(c->unit, name, state, &ignored) < 0)
		return;
	failed = strcmp(state, "failed") == 0 || (strcmp(state, "activating") == 0 && is_tried_again(c->unit, name));
	if (!failed && strcmp(state, "inactive") != 0)
		return;
	snprintf(c->names[c->n], sizeof(c->names[0]), "%s", name);
	if (failed)
		c->failed = c->names[c->n];
	c->n++;
}

static const char *find_failed(struct chain *c)
{
	static const char *const properties[] = {"Requires", "BindsTo"};
	struct error ignored;

	for (size_t k = 0; k < c->n && !c->failed; k++) {
		for (size_t m = 0; m < sizeof(properties) / sizeof(*properties); m++)
			(void)unit_each(c->unit, c->names[k], properties[m], add_needed, c, &ignored);
	}
	return c->failed;
}

int blame_needed(struct unit *u, const struct options *o, struct error *err)
{
	struct chain chain = {.unit = u, .n = 1};

	snprintf(chain.names[0], sizeof(chain.names[0]), "%s", o->unit);
	if (!find_failed(&chain))
		return -1;
	return error_set(err, ECHILD,
			 "the unit '%s' did not start, because '%s', which it needs, has failed: '%s %s' may say why",
			 o->unit, chain.failed, journal_command(o->scope), chain.failed);
}
