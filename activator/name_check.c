#include "activator/name_check.h"

#include <errno.h>
#include <string.h>

#include "activator/free_name.h"
#include "activator/situation.h"
#include "activator/unit_container.h"
#include "activator/unit_group.h"
#include "backends/podman/command.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "handover/environment.h"

/* What Podman has stored is read in no time; Podman itself is asked less often. */
#define READ_PERIOD (100 * USEC_PER_MSEC)
#define ASK_PERIOD  USEC_PER_SEC
#define ASK_LIMIT   (2 * USEC_PER_SEC)

/* The options of an instance of the claim's unit. */
static struct options view_of(const struct options *o, const struct claim *c)
{
	struct options view = *o;

	view.unit = c->unit;
	view.container = c->name;
	return view;
}

static int list_by_command(struct engine *e, const struct claim *c, struct container_list *ret, struct error *err)
{
	_cleanup_free_ char **env = environment_for_others();

	*ret = (struct container_list){};
	return env ? podman_command_list(c->name, c->is_pod, env, e->deadline, ret, err)
		   : error_errno(err, ENOMEM, "cannot run 'podman ps'");
}

/* The claims are those of units that are down. */
static int check(struct unit *u, const struct options *o, const struct claim *claim, const struct container *c,
		 struct error *err)
{
	bool runs = c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED;

	if (claim->is_labelled)
		return unit_container_check(u, o, c, err);
	return runs && !unit_group_has(u, claim->unit, "/proc", c->pid) ? unit_container_refuse(o, c->name, err) : 0;
}

static int ask_command(struct unit *u, struct engine *e, const struct options *o, const struct claim *c,
		       struct error *err)
{
	_cleanup_container_list_ struct container_list list = {};

	if (list_by_command(e, c, &list, err) < 0)
		return -1;
	for (size_t k = 0; k < list.n; k++) {
		if (strcmp(list.items[k].name, c->name) == 0)
			return check(u, o, c, &list.items[k], err);
	}
	return 0;
}

/* A container that is just being removed (EREMOTEIO) was the unit's own. */
static int ask_for_container(struct unit *u, struct engine *e, const struct options *o, const struct claim *claim,
			     struct error *err)
{
	_cleanup_container_ struct container c = {};
	const struct options view = view_of(o, claim);

	if (e->backend->inspect(e, claim->name, &c, err) == 0)
		return check(u, &view, claim, &c, err);
	if (container_is_in_between(err))
		return error_clear(err);
	return error_forgive(err, ENOTCONN) ? ask_command(u, e, &view, claim, err) : -1;
}

/* Whatever a unit has made has a label, and so does what is in its pod. */
static const struct container *find_in_pod(const struct container_list *list, const char *pod)
{
	for (size_t k = 0; k < list->n; k++) {
		const struct container *c = &list->items[k];

		if (strcmp(c->pod_name, pod) == 0 && !c->is_infra && !container_label(c, UNIT_LABEL))
			return c;
	}
	return NULL;
}

static int ask_for_pod(struct engine *e, const struct claim *claim, struct error *err)
{
	_cleanup_container_list_ struct container_list list = {};
	const struct container *c;

	if (e->backend->list(e, &list, err) < 0 &&
	    (!error_forgive(err, ENOTCONN) || list_by_command(e, claim, &list, err) < 0))
		return -1;
	c = find_in_pod(&list, claim->name);
	if (!c)
		return 0;
	return error_set(
		err, EEXIST,
		"the pod '%s', in which somebody has made the container '%s', is not the one of the unit '%s', "
		"which would remove it: another name for that pod keeps both, 'podman pod rm -f %s' removes the "
		"other one with its data",
		claim->name, c->name, claim->unit, claim->name);
}

static int ask(struct unit *u, struct engine *e, const struct options *o, const struct claim *c, struct error *err)
{
	return c->is_pod ? ask_for_pod(e, c, err) : ask_for_container(u, e, o, c, err);
}

static bool is_free(const struct options *o, const struct claim *c, const struct container_lock *lock)
{
	return !c->is_pod && free_name_is_sure(lock->identity, o->scope, c->name);
}

int name_check(struct unit *u, struct engine *e, const struct options *o, const struct claims *claims,
	       const struct container_lock *lock, struct error *err)
{
	for (size_t k = 0; k < claims->n; k++) {
		const struct claim *c = &claims->items[k];

		if (is_free(o, c, lock) || ask(u, e, o, c, err) == 0)
			continue;
		return err->code == EEXIST
			       ? -1
			       : error_context(err,
					       "the unit '%s' is not started, which would replace a %s '%s' "
					       "of others",
					       c->unit, c->is_pod ? "pod" : "container", c->name);
	}
	return 0;
}

static bool has_begun(struct unit *u, const char *name)
{
	struct error ignored;
	struct unit_view v;

	return unit_look_at(u, name, &v, &ignored) < 0 || v.main_pid || unit_is_active(&v);
}

static void forget_begun(struct unit *u, struct claims *claims)
{
	size_t n = 0;

	for (size_t k = 0; k < claims->n; k++) {
		if (!has_begun(u, claims->items[k].unit))
			claims->items[n++] = claims->items[k];
	}
	claims->n = n;
}

uint64_t name_check_again(struct unit *u, struct engine *e, const struct options *o, struct claims *claims,
			  const struct container_lock *lock, const char **ret_unit, struct error *err)
{
	uint64_t deadline = e->deadline;
	bool asked = false;

	forget_begun(u, claims);
	e->deadline = least_of(deadline, time_from_now(ASK_LIMIT));
	for (size_t k = 0; k < claims->n; k++) {
		const struct claim *c = &claims->items[k];

		if (is_free(o, c, lock))
			continue;
		asked = true;
		if (ask(u, e, o, c, err) < 0 && err->code == EEXIST) {
			*ret_unit = c->unit;
			break;
		}
		error_clear(err);
	}
	e->deadline = deadline;
	if (claims->n == 0)
		return USEC_INFINITY;
	return asked ? ASK_PERIOD : READ_PERIOD;
}
