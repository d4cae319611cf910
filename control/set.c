#include "control/set.h"

#include <errno.h>
#include <string.h>

#include "control/create.h"
#include "control/find.h"
#include "control/note.h"
#include "control/rights.h"
#include "control/sharing.h"
#include "control/stage.h"
#include "control/tally.h"
#include "control/units_lock.h"
#include "instance/dependency.h"
#include "instance/json.h"
#include "units/paths.h"

struct setting {
	enum scope scope;
	char directory[PATH_MAX];
	struct manager *manager;
	struct stored_list all;
	set_change change;
	const void *data;
};

static void setting_clear(struct setting *s)
{
	manager_close(&s->manager);
	stored_list_clear(&s->all);
}

static int check(const struct stored *s, struct error *err)
{
	const char *name = s->instance.name;

	if (s->problem)
		return error_set(err, EINVAL, "the configuration of '%s' cannot be read: %s", name, s->problem);
	if (s->instance.legacy)
		return error_set(err, EINVAL,
				 "the original tool made '%s': 'sockwake create --force' takes it over first", name);
	if (s->instance.adopted)
		return error_set(err, EINVAL,
				 "the labels of its container made '%s': change those, then run 'sockwake adopt %s'",
				 name, s->instance.container_name);
	return 0;
}

static int copy(const struct instance *from, struct instance *ret, struct error *err)
{
	_cleanup_free_ char *json = instance_to_json(from);

	return json ? instance_from_json(json, ret, err)
		    : error_errno(err, ENOMEM, "cannot change the instance '%s'", from->name);
}

/* systemd opens a socket only while the service does not run: another port would cost the connections. */
static int check_listeners(const struct instance *now, enum stage stage, const struct instance *then, struct error *err)
{
	if (stage == STAGE_ASLEEP || instances_listen_alike(now, then))
		return 0;
	return error_set(err, EBUSY,
			 "'%s' %s, and where it listens changes only while it sleeps: 'sockwake sleep %s' first",
			 now->name, stage_words(stage), now->name);
}

static bool needs_the_same(const struct instance *a, const struct instance *b)
{
	char one[DEPENDENCY_LINE_MAX], other[DEPENDENCY_LINE_MAX];

	if (a->n_dependencies != b->n_dependencies)
		return false;
	for (size_t k = 0; k < a->n_dependencies; k++) {
		if (strcmp(dependency_line(a, k, one), dependency_line(b, k, other)) != 0)
			return false;
	}
	return true;
}

/* --with and --with-project together make one list, and either replaces it: a person sees what it is now. */
static void say_dependencies(const struct instance *before, const struct instance *now)
{
	char line[DEPENDENCY_LINE_MAX];

	if (needs_the_same(before, now))
		return;
	if (now->n_dependencies == 0)
		note_done("  wakes no other container");
	for (size_t k = 0; k < now->n_dependencies; k++)
		note_done("%s", dependency_line(now, k, line));
}

static void say(const struct instance *before, const struct instance *now, enum outcome outcome, enum stage stage)
{
	const char *name = now->name;

	if (outcome == OUTCOME_UNCHANGED)
		note_done("'%s' is so already.", name);
	else if (stage == STAGE_ASLEEP || stage == STAGE_REFUSING)
		note_done("Changed '%s'.", name);
	else if (stage == STAGE_WAKING)
		note_done("Changed '%s'; it is waking: that counts from its next wake on, and 'sockwake sleep %s' ends "
			  "this start.",
			  name, name);
	else
		note_done("Changed '%s'; it %s: that counts from its next wake on.", name, stage_words(stage));
	say_dependencies(before, now);
}

static int set_one(struct setting *s, const struct stored *stored, struct error *err)
{
	_cleanup_create_request_ struct create_request r = {.force = true, .changes = true};
	enum outcome outcome;
	enum stage stage;

	if (check(stored, err) < 0 || copy(&stored->instance, &r.instance, err) < 0 ||
	    s->change(s->data, &r, err) < 0 || stage_find(s->manager, stored->instance.name, &stage, err) < 0 ||
	    check_listeners(&stored->instance, stage, &r.instance, err) < 0 ||
	    create_instance(&r, s->manager, s->directory, &s->all, &outcome, err) < 0)
		return -1;
	say(&stored->instance, &r.instance, outcome, stage);
	return 0;
}

static const struct stored *find(const struct stored_list *list, const char *name)
{
	for (size_t k = 0; k < list->n; k++) {
		if (strcmp(list->items[k].instance.name, name) == 0)
			return &list->items[k];
	}
	return NULL;
}

static int set_each(struct setting *s, const struct stored_list *chosen, struct error *err)
{
	struct tally tally = {.of = chosen->n};
	struct error why;

	for (size_t k = 0; k < chosen->n; k++) {
		const struct stored *stored;

		stored_list_clear(&s->all);
		if (store_scan(s->directory, &s->all, err) < 0)
			return -1;
		stored = find(&s->all, chosen->items[k].instance.name);
		if (stored && set_one(s, stored, &why) < 0)
			tally_failure(&tally, &why);
	}
	return tally_result(&tally, err);
}

int set_instances(enum scope scope, char *const *names, set_change change, const void *data, struct error *err)
{
	_cleanup_(setting_clear) struct setting s = {.scope = scope, .change = change, .data = data};
	_cleanup_stored_list_ struct stored_list chosen = {};
	_cleanup_close_ int lock = -1;

	if (rights_require(scope, err) < 0 || unit_directory(scope, s.directory, err) < 0 ||
	    units_lock_take(scope, s.directory, &lock, err) < 0 ||
	    (names ? find_instances(scope, names, s.directory, &chosen, err) : store_scan(s.directory, &chosen, err)) <
		    0)
		return -1;
	if (chosen.n == 0) {
		note_done("No managed instances found.");
		return 0;
	}
	if (manager_connect(scope, &s.manager, err) < 0)
		return -1;
	return set_each(&s, &chosen, err);
}
