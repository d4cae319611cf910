#include "control/observe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/container.h"
#include "common/clock.h"
#include "common/parse.h"
#include "common/path.h"
#include "control/gone.h"
#include "control/observe_engines.h"
#include "control/observe_units.h"
#include "control/outlook.h"
#include "control/programs.h"
#include "control/sharing.h"
#include "control/stranger.h"
#include "control/waiting.h"
#include "units/paths.h"

const char *observe_state_name(enum state state)
{
	static const char *const names[] = {
		[STATE_UNKNOWN] = "unknown", [STATE_ASLEEP] = "asleep",	    [STATE_WAKING] = "waking",
		[STATE_AWAKE] = "awake",     [STATE_STOPPING] = "stopping", [STATE_FAILED] = "failed",
		[STATE_OFF] = "off",
	};

	return names[state];
}

uint64_t observation_connections(const struct observation *o)
{
	bool runs = o->state == STATE_AWAKE || o->state == STATE_STOPPING;

	return runs && o->have_stats ? o->stats.connections + o->stats.flows : 0;
}

static void read_statistics(enum scope scope, struct observation *os, size_t n)
{
	char directory[PATH_MAX], path[PATH_MAX], file[UNIT_NAME_MAX];
	struct error ignored;

	if (runtime_directory_find(scope, directory, &ignored) < 0)
		return;
	for (size_t k = 0; k < n; k++) {
		unit_name(os[k].stored->instance.name, ".stats", file);
		os[k].have_stats = path_join(directory, file, path, &ignored) == 0 &&
				   stats_read(path, &os[k].stats, &ignored) == 0 && stats_are_plausible(&os[k].stats);
	}
}

/* An obstacle to waking is the most important reason; a sleeping instance that cannot wake counts as failed. */
static void look_at_units(enum scope scope, struct observation *os, size_t n)
{
	_cleanup_programs_ struct programs programs = {};
	char directory[PATH_MAX], reason[UNIT_REASON_MAX];
	struct error ignored;

	if (unit_directory(scope, directory, &ignored) < 0)
		return;
	for (size_t k = 0; k < n; k++) {
		if (os[k].stored->problem)
			continue;
		programs_describe_units(&programs, directory, &os[k].stored->instance, reason, sizeof(reason));
		if (!reason[0])
			continue;
		strcpy(os[k].reason, reason);
		if (os[k].state == STATE_ASLEEP)
			os[k].state = STATE_FAILED;
	}
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* The activator's words (backends/request.c). It does not know that sockwake has made the container. */
static bool misses_container(const char *reason)
{
	return strstr(reason, " has no container '") != NULL;
}

/* Only with what is gone can it wake. A failed wake has its own reason. */
static void look_for_gone(struct observation *o)
{
	const struct instance *i = &o->stored->instance;
	bool counts = o->state == STATE_ASLEEP ||
		      (o->state == STATE_FAILED && i->made_container && misses_container(o->reason));

	if (o->stored->problem || !counts ||
	    !gone_describe(i, is(o->container_state, "missing"), o->without_unit, o->reason, sizeof(o->reason)))
		return;
	if (o->state == STATE_ASLEEP)
		o->since_usec = 0;
	o->state = STATE_FAILED;
}

/* Its clients wait in vain, and with them the container does not fall asleep: somebody else paused it, or what it needs. */
static void look_for_paused(struct observation *o)
{
	const struct instance *i = &o->stored->instance;
	const char *engine = backend_kind_name(i->backend), *name = NULL;

	if (o->stored->problem || o->state != STATE_AWAKE || o->reason[0])
		return;
	for (size_t m = 0; m < i->n_dependencies; m++) {
		if (is(o->dependency_states[m], "paused"))
			name = i->dependencies[m].container;
	}
	if (is(o->container_state, "paused"))
		name = i->container_name;
	if (name)
		snprintf(o->reason, sizeof(o->reason), "'%s' is paused: '%s unpause %s' lets it go on", name, engine,
			 name);
}

/* Compares by name and by identifier. */
static bool is_same_container(const char *name, const char *id, const struct observation *o)
{
	return is(name, o->stored->instance.container_name) || (id[0] && is(id, o->container_id));
}

/* Is the instance `user` not asleep, and does it use the container of o? */
static bool attends(const struct observation *user, const struct observation *o)
{
	const struct instance *i = &user->stored->instance;
	bool found;

	/* Checks without access to the file system come first: there may be hundreds of instances, each compared with
	 * each. */
	if (user->stored->problem ||
	    (user->state != STATE_WAKING && user->state != STATE_AWAKE && user->state != STATE_STOPPING))
		return false;
	found = is_same_container(i->container_name, user->container_id, o);
	for (size_t m = 0; m < i->n_dependencies && !found; m++)
		found = is_same_container(i->dependencies[m].container, user->dependency_ids[m], o);
	return found && instances_share_engine(i, &o->stored->instance);
}

static void find_shared(struct observation *os, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		for (size_t m = 0; m < n && !os[k].attended_by[0]; m++) {
			if (m != k && attends(&os[m], &os[k]))
				strcpy(os[k].attended_by, os[m].stored->instance.name);
		}
	}
}

/* Rarely has one to be asked for: a unit's container runs although its instance sleeps. */
static void find_strangers(enum scope scope, struct observation *os, size_t n)
{
	_cleanup_manager_ struct manager *m = NULL;
	struct error ignored;

	for (size_t k = 0; k < n; k++) {
		const struct observation *o = &os[k];

		if (o->stored->problem || !o->stored->instance.unit ||
		    (o->state != STATE_ASLEEP && o->state != STATE_FAILED && o->state != STATE_OFF) ||
		    !is(o->container_state, container_state_name(CONTAINER_RUNNING)))
			continue;
		if (!m && manager_connect(scope, &m, &ignored) < 0)
			return;
		os[k].stranger = stranger_is(m, &o->stored->instance);
	}
}

static bool is_full(const struct observation *o)
{
	return o->state == STATE_AWAKE && o->have_stats && o->stats.flags & STATS_FULL;
}

/* Adds what only the statistics and the kernel know. */
static void look_at_clients(struct observation *o)
{
	const struct instance *i = &o->stored->instance;
	uint64_t now = wall_usec();

	if (o->stored->problem)
		return;
	if (o->have_stats && o->state == STATE_AWAKE) {
		o->held_until = stats_held_until(&o->stats, now);
		o->held_always = outlook_is_always(&o->stats, now);
		o->sleeps_at = o->held_always ? 0 : outlook_sleep(i, &o->stats, now_usec(), now);
	}
	if (o->state == STATE_WAKING || o->state == STATE_STOPPING || is_full(o))
		o->waiting = waiting_count(i);
	o->somebody_waits = o->waiting > 0 || (o->state == STATE_WAKING && o->have_stats && o->stats.t_waiting);
}

int observe(enum scope scope, const struct stored_list *list, uint64_t patience, struct observation **ret,
	    struct error *ret_trouble, struct error *err)
{
	_cleanup_free_ struct observation *os = calloc(list->n + 1, sizeof(*os));
	struct error failure;

	if (!os)
		return error_errno(err, ENOMEM, "cannot look at the instances");
	*ret_trouble = (struct error){};
	for (size_t k = 0; k < list->n; k++) {
		os[k].stored = &list->items[k];
		snprintf(os[k].socket_state, sizeof(os[k].socket_state), "unknown");
		strcpy(os[k].container_state, "unknown");
		for (size_t m = 0; m < list->items[k].instance.n_dependencies; m++)
			strcpy(os[k].dependency_states[m], "unknown");
	}
	read_statistics(scope, os, list->n);
	if (list->n > 0 && observe_units(scope, list, os, &failure) < 0)
		*ret_trouble = failure;
	observe_engines(scope, patience, os, list->n, ret_trouble);
	for (size_t k = 0; k < list->n; k++) {
		look_for_gone(&os[k]);
		look_for_paused(&os[k]);
	}
	look_at_units(scope, os, list->n);
	find_strangers(scope, os, list->n);
	find_shared(os, list->n);
	for (size_t k = 0; k < list->n; k++) {
		look_at_clients(&os[k]);
		if (list->items[k].problem)
			snprintf(os[k].reason, sizeof(os[k].reason), "%s", list->items[k].problem);
		text_make_printable(os[k].reason);
		text_make_printable(os[k].phase);
	}
	*ret = steal_ptr(&os);
	return 0;
}
