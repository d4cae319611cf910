#include "control/change.h"

#include <string.h>

#include "control/create_check.h"
#include "control/instance_engine.h"
#include "control/leftovers.h"
#include "control/no_effect.h"
#include "control/programs.h"
#include "control/selinux.h"
#include "instance/combination.h"
#include "instance/validate.h"

/* A running container gets its idle timeout a moment later, too: the next wake, or `sockwake wake`, does it. */
#define ENGINE_LIMIT (2 * USEC_PER_SEC)

bool change_keeps_ports(const struct instance *a, const struct instance *b)
{
	char one[PUBLISH_TEXT_MAX], other[PUBLISH_TEXT_MAX];

	if (a->n_ports != b->n_ports)
		return false;
	for (size_t k = 0; k < a->n_ports; k++) {
		publish_format(&a->ports[k], one);
		publish_format(&b->ports[k], other);
		if (strcmp(one, other) != 0)
			return false;
	}
	return true;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* One that was just given has neither its unit nor its stop time-out yet. */
static bool is_same_dependency(const struct dependency *a, const struct dependency *b)
{
	return is_same(a->container, b->container) && is_same(a->unit, b->unit) && a->port == b->port &&
	       is_same(a->health_check, b->health_check) && a->stop_timeout == b->stop_timeout;
}

bool change_keeps_dependency(const struct instance *before, const struct dependency *d)
{
	for (size_t k = 0; k < before->n_dependencies; k++) {
		if (is_same_dependency(&before->dependencies[k], d))
			return true;
	}
	return false;
}

static bool keeps_dependencies(const struct instance *a, const struct instance *b)
{
	if (a->n_dependencies != b->n_dependencies)
		return false;
	for (size_t k = 0; k < a->n_dependencies; k++) {
		if (!is_same_dependency(&a->dependencies[k], &b->dependencies[k]))
			return false;
	}
	return true;
}

static bool is_same_list(char *const *a, char *const *b)
{
	for (; a && b && *a && *b; a++, b++) {
		if (strcmp(*a, *b) != 0)
			return false;
	}
	return (!a || !*a) && (!b || !*b);
}

bool change_asks_engine(const struct instance *before, const struct create_request *r)
{
	const struct instance *i = &r->instance;

	return r->with_project || !change_keeps_ports(before, i) || !keeps_dependencies(before, i) ||
	       !is_same_list(before->targets, i->targets) || strcmp(before->health_check, i->health_check) != 0 ||
	       before->idle_action != i->idle_action || before->transparent != i->transparent ||
	       before->no_boot != i->no_boot || before->drop_publish != i->drop_publish;
}

/* Its container may run, or should by now. */
static void warm_up(struct manager *m, const struct instance *before, const struct instance *now)
{
	_cleanup_engine_ struct engine *engine = NULL;
	struct error ignored;

	if (is_same_list(before->schedule, now->schedule) && before->keep_running == now->keep_running)
		return;
	if (instance_open_engine(now, ENGINE_LIMIT, &engine, &ignored) == 0)
		create_write_warm_up(m, now, engine, ENGINE_LIMIT, false);
}

int change_instance(const struct create_request *r, struct manager *m, const char *directory, const struct stored *old,
		    const struct stored_list *all, enum outcome *ret, struct error *err)
{
	const struct instance *i = &r->instance, *before = &old->instance;

	if (programs_check(err) < 0 || combination_check(i, err) < 0 || instance_validate(i, err) < 0 ||
	    create_write_compare(r, directory, old, ret, err) < 0)
		return -1;
	if (*ret == OUTCOME_UNCHANGED)
		return 0;
	if (create_check_group(i, err) < 0)
		return -1;
	no_effect_note(i);
	create_write_note_hidden(m, directory, i);
	if (r->dry_run)
		return 0;
	if (create_write(m, directory, r, before, NULL, err) < 0)
		return -1;
	leftovers_sweep_locks(i->scope, directory);
	warm_up(m, before, i);
	selinux_unlabel_ports(before, all);
	selinux_label_ports(i);
	return 0;
}
