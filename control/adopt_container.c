#include "control/adopt_container.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/engine.h"
#include "common/parse.h"
#include "control/adopt_containers.h"
#include "control/adopt_plan.h"
#include "control/create.h"
#include "control/install.h"
#include "control/note.h"
#include "control/wish.h"
#include "instance/dependency.h"
#include "instance/json.h"

/* Is this the name that an instance gets instead, if a unit has the assumed one? (create_unit.c) */
static bool is_wake_of(const char *name, const char *assumed)
{
	size_t len = strlen(assumed);

	return strncmp(name, assumed, len) == 0 && strcmp(name + len, "-wake") == 0;
}

/* The instance adopted for the same container under another name, which its labels no longer give. */
static const struct stored *find_renamed(const struct adoption *a, const struct create_request *r)
{
	for (size_t k = 0; k < a->instances.n; k++) {
		const struct stored *s = &a->instances.items[k];

		if (adoption_owns(a, s) && strcmp(s->instance.container_name, r->instance.container_name) == 0 &&
		    strcmp(s->instance.name, r->instance.name) != 0 &&
		    !(r->name_assumed && is_wake_of(s->instance.name, r->instance.name)))
			return s;
	}
	return NULL;
}

/* Where it listens, and what it wakes before its container. NULL: out of memory. */
static char *describe(const struct instance *i)
{
	char spec[PUBLISH_TEXT_MAX], dependency[DEPENDENCY_TEXT_MAX], *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (size_t k = 0; k < i->n_ports; k++) {
		publish_format(&i->ports[k], spec);
		fprintf(f, "%s%s", k ? ", " : ": listens on ", spec);
	}
	for (size_t k = 0; k < i->n_dependencies; k++)
		fprintf(f, "%s %s %s", k ? "," : ";", dependency_lead(i, k),
			dependency_format(&i->dependencies[k], dependency));
	return fclose(f) == 0 ? text : NULL;
}

/* Says which container an error is about, unless it does itself. */
static int name_container(const char *container, struct error *err)
{
	char named[CONTAINER_NAME_SIZE + 32];

	snprintf(named, sizeof(named), "the container '%s'", container);
	return strstr(err->text, named) ? -1 : error_context(err, "%s", named);
}

static int create(struct adoption *a, struct create_request *r, struct error *err)
{
	static const char *const done[] = {[OUTCOME_CREATED] = "Created",
					   [OUTCOME_REPLACED] = "Replaced",
					   [OUTCOME_REFRESHED] = "Refreshed",
					   [OUTCOME_UNCHANGED] = "Unchanged"};
	static const char *const planned[] = {[OUTCOME_CREATED] = "Would create",
					      [OUTCOME_REPLACED] = "Would replace",
					      [OUTCOME_REFRESHED] = "Would refresh",
					      [OUTCOME_UNCHANGED] = "Unchanged"};
	_cleanup_free_ char *story = NULL;
	enum outcome outcome;

	r->dry_run = a->what->dry_run;
	r->freed = &a->freed;
	if (create_instance(r, a->manager, a->directory, &a->instances, &outcome, err) < 0)
		return name_container(r->instance.container_name, err);
	if (outcome == OUTCOME_CREATED && a->exchanging)
		outcome = OUTCOME_REPLACED;
	if (outcome == OUTCOME_CREATED || outcome == OUTCOME_REPLACED) /* else the instance is the same */
		story = describe(&r->instance);
	note_done("%s '%s' for the container '%s'%s", (a->what->dry_run ? planned : done)[outcome], r->instance.name,
		  r->instance.container_name, story ? story : "");
	if (outcome == OUTCOME_UNCHANGED)
		return 0;
	return a->what->dry_run ? adopt_plan_instance(&a->instances, &a->freed, &r->instance, err)
				: adoption_scan_again(a, err);
}

static void note_renamed(const struct adoption *a, const char *before)
{
	note_done("%s '%s', which that one replaces", a->what->dry_run ? "Would remove" : "Removed", before);
}

/* A dry run. If the new one is refused, the old one stays. */
static int plan_renaming(struct adoption *a, const struct stored *old, struct create_request *r, struct error *err)
{
	_cleanup_free_ char *before = strdup(old->instance.name);

	if (!before)
		return error_errno(err, ENOMEM, "cannot rename '%s'", old->instance.name);
	if (adopt_plan_removal(&a->instances, &a->freed, before, err) < 0)
		return -1;
	if (create(a, r, err) < 0) {
		adopt_plan_return(&a->instances, &a->freed, before);
		return -1;
	}
	note_renamed(a, before);
	return 0;
}

/* The old instance goes first: both would listen on the same ports. It comes back if the new one fails. */
static int rename_instance(struct adoption *a, const struct stored *old, struct create_request *r, struct error *err)
{
	_cleanup_free_ char *json = instance_to_json(&old->instance);
	_cleanup_instance_ struct instance before = {};
	struct error ignored;

	if (!json)
		return error_errno(err, ENOMEM, "cannot rename '%s'", old->instance.name);
	if (adoption_remove(a, old, err) < 0 || adoption_scan_again(a, err) < 0)
		return -1;
	if (create(a, r, err) == 0) {
		if (instance_from_json(json, &before, &ignored) == 0)
			note_renamed(a, before.name);
		return 0;
	}
	if (instance_from_json(json, &before, &ignored) == 0)
		(void)install_write(a->manager, a->directory, &before, false, &ignored);
	(void)adoption_scan_again(a, &ignored);
	return -1;
}

/* Refuses the remains of a Quadlet that was deleted while its container ran. */
static int check_leftover(const struct adoption *a, const struct container *c, struct error *err)
{
	const char *engine = backend_kind_name(a->what->base.backend), *unit = container_label(c, UNIT_LABEL);
	bool gone = false, runs = false;

	if (!unit || !c->id[0] || !service_name_is_valid(unit))
		return 0;
	if (adoption_unit_is_gone(a, unit, &gone, &runs, err) < 0)
		return -1;
	return gone && runs
		       ? error_set(
				 err, ENOENT,
				 "the container '%s' is left of '%s', whose file is gone: '%s rm --force %s' removes it",
				 c->name, unit, engine, c->name)
		       : 0;
}

/* Refuses a name for which another container asks, too: else each would take the instance from the other. */
static int check_name(const struct adoption *a, const struct create_request *r, struct error *err)
{
	for (size_t k = 0; k < a->instances.n; k++) {
		const struct instance *i = &a->instances.items[k].instance;
		_cleanup_create_request_ struct create_request other = {};
		const struct container *c;
		struct error ignored;

		if (!adoption_owns(a, &a->instances.items[k]) || strcmp(i->name, r->instance.name) != 0 ||
		    strcmp(i->container_name, r->instance.container_name) == 0)
			continue;
		c = adopt_find_container(&a->containers, i->container_name);
		if (c && wish_is_there(c) && a->what->read_labels(c, &a->what->base, &other, &ignored) == 0 &&
		    strcmp(other.instance.name, i->name) == 0)
			return error_set(err, EEXIST,
					 "the containers '%s' and '%s' ask for one instance '%s': give one of them "
					 "another name by the label 'sockwake.name'",
					 i->container_name, r->instance.container_name, i->name);
	}
	return 0;
}

int adopt_container(struct adoption *a, const struct container *c, struct error *err)
{
	_cleanup_create_request_ struct create_request r = {};
	const struct stored *renamed;

	if (check_leftover(a, c, err) < 0)
		return -1;
	if (a->what->read_labels(c, &a->what->base, &r, err) < 0)
		return -1;
	if (check_name(a, &r, err) < 0)
		return -1;
	renamed = find_renamed(a, &r);
	if (!renamed)
		return create(a, &r, err);
	return a->what->dry_run ? plan_renaming(a, renamed, &r, err) : rename_instance(a, renamed, &r, err);
}
