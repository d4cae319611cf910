#include "control/install.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/backend.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/path.h"
#include "control/keep.h"
#include "control/listen_check.h"
#include "control/note.h"
#include "control/sharing.h"
#include "control/signals.h"
#include "control/unfinished.h"
#include "units/drop_in.h"
#include "units/log_command.h"
#include "units/paths.h"
#include "units/query.h"
#include "units/render.h"

/* systemd binds the sockets within this. */
#define SOCKET_TIMEOUT (60 * USEC_PER_SEC)

struct names {
	char socket[UNIT_NAME_MAX], service[UNIT_NAME_MAX], timer[UNIT_NAME_MAX], legacy[UNIT_NAME_MAX];
};

static struct names names_of(const char *name)
{
	struct names n = {};

	unit_name(name, SOCKET_SUFFIX, n.socket);
	unit_name(name, SERVICE_SUFFIX, n.service);
	unit_name(name, TIMER_SUFFIX, n.timer);
	unit_name(name, LEGACY_SUFFIX, n.legacy);
	return n;
}

int install_check_name(struct manager *m, const char *directory, const char *name, struct error *err)
{
	struct names n = names_of(name);
	const char *units[3] = {n.socket, n.service, n.timer};
	struct unit_state states[3] = {};
	char path[PATH_MAX];
	int r = manager_examine(m, units, 3, states, err);

	for (size_t k = 0; r == 0 && k < 3; k++) {
		r = path_join(directory, units[k], path, err);
		/* A file at that path was checked before. */
		if (r == 0 && strcmp(states[k].load_state, "not-found") != 0 &&
		    strcmp(states[k].fragment_path, path) != 0)
			r = error_set(
				err, EEXIST,
				"the service manager knows a unit '%s' already%s%s: give the instance another name, such as "
				"--name %s-wake",
				units[k], states[k].fragment_path[0] ? ", from " : "", states[k].fragment_path, name);
	}
	unit_states_clear(states, 3);
	return r;
}

/* The socket first, and with it the timer: otherwise they would start the service again at once. Stopping the service
 * puts the container to sleep, within its TimeoutStopSec=. */
static int stop_units(struct manager *m, const struct names *n, bool legacy, struct error *err)
{
	/* The socket's stop waits for the service's, whose limit may be long (TimeoutStopSec=). */
	if (manager_stop(m, n->socket, 0, err) < 0 || (legacy && manager_stop(m, n->legacy, USEC_INFINITY, err) < 0) ||
	    manager_stop(m, n->service, USEC_INFINITY, err) < 0)
		return -1;
	return manager_stop(m, n->socket, SOCKET_TIMEOUT, err);
}

/* Reloads if the manager does not have the current version of a unit. */
static int reload_if_needed(struct manager *m, const struct names *n, bool with_timer, struct error *err)
{
	const char *units[3] = {n->socket, n->service, n->timer};
	struct unit_state states[3] = {};
	int r = manager_examine(m, units, 3, states, err);
	bool needed = false;

	for (size_t k = 0; r == 0 && k < 3; k++) {
		bool loaded = strcmp(states[k].load_state, "loaded") == 0, wanted = k < 2 || with_timer;

		needed |= states[k].need_reload || loaded != wanted;
	}
	unit_states_clear(states, 3);
	return needed ? manager_reload(m, err) : r;
}

void install_explain_socket(struct manager *m, const struct instance *i, struct error *err)
{
	char name[UNIT_NAME_MAX], reason[UNIT_REASON_MAX];
	const char *unit = unit_name(i->name, SOCKET_SUFFIX, name);
	struct unit_state state = {};
	struct error ignored;

	if (err->code == EREMOTEIO && manager_examine(m, &unit, 1, &state, &ignored) == 0) {
		unit_reason(&state, reason);
		if (strcmp(state.load_state, "loaded") != 0)
			error_set(err, EREMOTEIO, "the service manager cannot load %s (%s)", unit, state.load_state);
		else if (strcmp(state.active_state, "active") != 0 &&
			 listen_check_describe_obstacle(i, reason, sizeof(reason)))
			error_set(err, EREMOTEIO, "cannot start %s: %s", unit, reason);
		else if (reason[0])
			error_set(err, EREMOTEIO, "cannot start %s: %s; '%s %s' has the whole story", unit, reason,
				  journal_command(i->scope), unit);
	}
	unit_states_clear(&state, 1);
}

static bool is_active(struct manager *m, const char *unit)
{
	struct unit_state state = {};
	struct error ignored;
	bool active = manager_query(m, &unit, 1, &state, &ignored) == 0 && strcmp(state.active_state, "active") == 0;

	unit_states_clear(&state, 1);
	return active;
}

void install_outwait_trigger_limit(uint64_t closed_usec)
{
	uint64_t passed = wall_usec() - closed_usec, limit = TRIGGER_LIMIT_SECONDS * USEC_PER_SEC;

	if (passed >= limit) /* wraps to a larger value if the clock was set back */
		return;
	note_print("waiting until systemd has forgotten why it closed the socket: %d s at most", TRIGGER_LIMIT_SECONDS);
	(void)poll(NULL, 0, timeout_msec(now_usec() + limit - passed));
}

static void outwait_own_triggers(struct manager *m, const char *socket)
{
	struct unit_state state = {};
	struct error ignored;

	if (manager_examine(m, &socket, 1, &state, &ignored) == 0 && strcmp(state.result, "trigger-limit-hit") == 0)
		install_outwait_trigger_limit(state.since_usec);
	unit_states_clear(&state, 1);
}

void install_order_engines(struct manager *m)
{
	struct error ignored;

	(void)manager_start_at_once(m, ENGINES_TARGET, &ignored);
}

static int start_new(struct manager *m, const struct instance *i, const struct names *n, struct error *err)
{
	struct error ignored;

	if (reload_if_needed(m, n, i->schedule, err) < 0)
		return -1;
	install_order_engines(m);
	outwait_own_triggers(m, n->socket);
	(void)manager_reset_failed(m, n->service, &ignored); /* the failure is that of the replaced unit */
	if (manager_start(m, n->socket, SOCKET_TIMEOUT, err) == 0)
		return 0;
	install_explain_socket(m, i, err);
	return -1;
}

/* *err already has the first error: further failures are ignored. */
static void reopen(struct manager *m, const struct names *n, bool was_active)
{
	struct error ignored;

	if (was_active)
		(void)manager_start(m, n->socket, SOCKET_TIMEOUT, &ignored);
}

/* Restores the previous state. */
static void roll_back(struct manager *m, const char *directory, const char *name, const struct names *n,
		      const struct snapshot *before, bool was_active)
{
	struct error ignored;

	(void)stop_units(m, n, false, &ignored);
	(void)store_restore(directory, name, before, &ignored);
	(void)manager_reload(m, &ignored);
	(void)manager_reset_failed(m, n->socket, &ignored);
	reopen(m, n, was_active);
}

/* Comes before the instance is removed, while the container is known. A failure does not stop the removal. */
static void sleep_container(struct manager *m, const struct stored *s, enum settle what)
{
	char command[STOP_COMMAND_MAX];
	struct error why;

	if (!s->problem && settle(m, &s->instance, what, &why) < 0)
		note_print("the container '%s' may still run: %s; '%s' stops it", s->instance.container_name, why.text,
			   settle_stop_command(&s->instance, command));
}

/* The replaced instance may have woken another container, which nothing would put to sleep any more. */
static void leave_container(struct manager *m, const char *directory, const struct instance *i)
{
	_cleanup_stored_ struct stored old = {};
	struct error ignored;

	if (store_read(directory, i->name, &old, &ignored) == 0 && !old.problem &&
	    strcmp(old.instance.container_name, i->container_name) != 0)
		sleep_container(m, &old, SETTLE_OWN);
}

static int install(struct manager *m, const char *directory, const struct instance *i, bool legacy, bool was_active,
		   struct error *err)
{
	_cleanup_snapshot_ struct snapshot before = {};
	struct names n = names_of(i->name);

	if (stop_units(m, &n, legacy, err) < 0) {
		reopen(m, &n, was_active);
		return -1;
	}
	FAULT("install:stopped");
	leave_container(m, directory, i);
	if (store_write(directory, i, &before, err) < 0) {
		reopen(m, &n, was_active);
		return -1;
	}
	if (start_new(m, i, &n, err) == 0)
		return 0;
	roll_back(m, directory, i->name, &n, &before, was_active);
	return -1;
}

static int check_predecessor(const char *directory, const char *name, struct error *err)
{
	_cleanup_stored_ struct stored old = {};
	struct error ignored;

	if (store_read(directory, name, &old, &ignored) < 0 || old.problem)
		return 0;
	return listen_check_files(&old.instance, err);
}

int install_write(struct manager *m, const char *directory, const struct instance *i, bool legacy, struct error *err)
{
	struct names n = names_of(i->name);
	bool was_active = is_active(m, n.socket);
	sigset_t before;
	int r;

	if (was_active && check_predecessor(directory, i->name, err) < 0)
		return -1;
	before = signals_block();
	unfinished_begin(i->scope, i->name, was_active);
	r = install(m, directory, i, legacy, was_active, err);
	unfinished_end(i->scope, i->name);
	signals_release(&before);
	return r;
}

static void remove_runtime_file(enum scope scope, const char *file)
{
	char directory[PATH_MAX], path[PATH_MAX];
	struct error ignored;

	if (runtime_directory_find(scope, directory, &ignored) == 0 && path_join(directory, file, path, &ignored) == 0)
		(void)unlink(path);
}

/* The manager remembers a failed unit after its file is gone. */
static void forget_failures(struct manager *m, const struct names *n, bool legacy)
{
	struct error ignored;

	(void)manager_reset_failed(m, n->socket, &ignored);
	(void)manager_reset_failed(m, n->service, &ignored);
	(void)manager_reset_failed(m, n->timer, &ignored);
	if (legacy)
		(void)manager_reset_failed(m, n->legacy, &ignored);
}

/* The instance is not removed. */
static void stay(struct manager *m, enum scope scope, const char *name, const struct names *n, bool was_active)
{
	reopen(m, n, was_active);
	unfinished_end(scope, name);
}

int install_remove(struct manager *m, const char *directory, enum scope scope, const struct stored *s,
		   const struct stored_list *all, enum settle what, struct error *err)
{
	const char *name = s->instance.name;
	struct names n = names_of(name);
	char stats[UNIT_NAME_MAX];
	struct error why;
	bool was_active;

	was_active = m && is_active(m, n.socket);
	if (was_active && !s->problem && listen_check_files(&s->instance, err) < 0)
		return -1;
	if (m)
		unfinished_begin(scope, name, was_active);
	if (m && stop_units(m, &n, s->instance.legacy, err) < 0) {
		stay(m, scope, name, &n, was_active);
		return -1;
	}
	sleep_container(m, s, what);
	(void)signals_block();
	/* The Quadlet's drop-in after the units: an instance that stays needs it, and the next command sweeps what has
	 * no instance (units/sweep.h). */
	if (store_remove(directory, name, err) < 0) {
		if (m)
			stay(m, scope, name, &n, was_active);
		return -1;
	}
	FAULT("remove:gone");
	if (s->instance.drop_in && drop_in_remove(s->instance.drop_in, &why) < 0)
		note_print("the drop-in of '%s' stays: %s", name, why.text);
	remove_runtime_file(scope, unit_name(name, ".stats", stats));
	if (!s->problem)
		keep_forget(&s->instance, all);
	if (m)
		forget_failures(m, &n, s->instance.legacy);
	return 0;
}

/* Does the manager still know units of a removed instance, and has somebody started one since it was stopped? */
static int look_for_remains(struct manager *m, const struct stored *s, bool *ret_known, bool *ret_run,
			    struct error *err)
{
	struct names names = names_of(s->instance.name);
	const char *units[] = {names.socket, names.service, names.timer, names.legacy};
	size_t n = s->instance.legacy ? 4 : 3;
	struct unit_state states[4] = {};
	int r = manager_query(m, units, n, states, err);

	for (size_t u = 0; r == 0 && u < n; u++) {
		*ret_known |= strcmp(states[u].load_state, "not-found") != 0;
		*ret_run |= strcmp(states[u].active_state, "inactive") != 0 &&
			    strcmp(states[u].active_state, "failed") != 0;
	}
	unit_states_clear(states, 4);
	return r;
}

static int forget(struct manager *m, enum scope scope, const struct stored *const *removed, size_t n, struct error *err)
{
	bool known = false;
	char stats[UNIT_NAME_MAX];

	for (size_t k = 0; k < n; k++) {
		known |= removed[k]->instance.drop_in != NULL;
		if (!known && look_for_remains(m, removed[k], &known, &known, err) < 0)
			return -1;
	}
	if (!known)
		return 0;
	if (manager_reload(m, err) < 0)
		return -1;
	for (size_t k = 0; k < n; k++) {
		struct names names = names_of(removed[k]->instance.name);
		bool runs = false;

		if (look_for_remains(m, removed[k], &known, &runs, err) < 0 ||
		    (runs && stop_units(m, &names, removed[k]->instance.legacy, err) < 0))
			return -1;
		if (runs)
			remove_runtime_file(scope, unit_name(removed[k]->instance.name, ".stats", stats));
		/* A unit that was woken after the stop may have failed for lack of removed files. */
		forget_failures(m, &names, removed[k]->instance.legacy);
	}
	return 0;
}

int install_forget(struct manager *m, enum scope scope, const struct stored *const *removed, size_t n,
		   struct error *err)
{
	int r = forget(m, scope, removed, n, err);

	for (size_t k = 0; k < n && r == 0; k++)
		unfinished_end(scope, removed[k]->instance.name);
	return r;
}
