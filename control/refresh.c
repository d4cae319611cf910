#include "control/refresh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "control/find.h"
#include "control/image.h"
#include "control/install.h"
#include "control/instance_engine.h"
#include "control/keep.h"
#include "control/listen_check.h"
#include "control/note.h"
#include "control/programs.h"
#include "control/rights.h"
#include "control/units_lock.h"
#include "handover/exit.h"
#include "units/paths.h"
#include "units/query.h"

#define SOCKET_TIMEOUT	(60 * USEC_PER_SEC)
#define SERVICE_TIMEOUT (30 * USEC_PER_SEC)

struct refresh {
	const struct stored *stored;
	bool failed;	  /* … and it was reported */
	bool was_missing; /* a program of its units was missing */
	bool was_enabled;
	int changed;
};

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void tell(struct refresh *r, const struct error *err)
{
	r->failed = true;
	note_print("'%s' is not refreshed: %s", r->stored->instance.name, err->text);
}

static int check(const struct stored *s, struct error *err)
{
	if (s->problem)
		return error_set(err, EINVAL, "%s", s->problem);
	if (s->instance.legacy)
		return error_set(err, EINVAL, "the original tool made it: 'sockwake create --force' takes it over");
	return 0;
}

static void write_units(struct programs *p, const char *directory, struct refresh *r)
{
	_cleanup_snapshot_ struct snapshot before = {};
	const struct stored *s = r->stored;
	struct instance renewed = s->instance; /* borrows the pointers */
	char path[PATH_MAX];
	const char *trouble;
	struct error err;

	renewed.outside_source = true;
	if (check(s, &err) < 0 || store_refresh(directory, &renewed, &before, &r->changed, &err) < 0) {
		tell(r, &err);
		return;
	}
	if (!s->instance.outside_source && instance_appearance(&renewed) == APPEAR_OUTSIDE)
		note_print(
			"to the server of '%s' clients are not local ones any more, from its next wake on: sockwake(1), "
			"\"Trust\"",
			renewed.name);
	r->was_enabled = before.enabled;
	r->was_missing =
		!before.texts[1] || programs_find_missing(p, s->instance.scope, before.texts[1], path, &trouble);
}

/* Others may also have changed the files. */
static int reload(struct manager *m, const struct refresh *refreshes, size_t n, struct error *err)
{
	bool needed = false;

	for (size_t k = 0; k < n && !needed; k++) {
		char socket[UNIT_NAME_MAX], service[UNIT_NAME_MAX];
		const char *name = refreshes[k].stored->instance.name;
		const char *units[2] = {unit_name(name, SOCKET_SUFFIX, socket),
					unit_name(name, SERVICE_SUFFIX, service)};
		struct unit_state states[2] = {};
		int r = refreshes[k].changed ? 0 : manager_examine(m, units, 2, states, err);

		needed = refreshes[k].changed;
		for (size_t u = 0; r == 0 && u < 2 && !needed; u++)
			needed = states[u].need_reload || !is(states[u].load_state, "loaded");
		unit_states_clear(states, 2);
		if (r < 0)
			return -1;
	}
	return needed ? manager_reload(m, err) : 0;
}

/* Did systemd close the socket, rather than a person? If its failure was reset, only that of the service remains: a
 * program was missing, or could not be run. */
static bool was_closed(const struct refresh *r, const struct unit_state *socket, const struct unit_state *service)
{
	if (is(socket->active_state, "failed"))
		return true;
	return is(socket->active_state, "inactive") && r->was_enabled &&
	       (r->was_missing || (is(service->result, "exit-code") && exit_is_before_main(service->main_status)));
}

static int start_socket(struct manager *m, const struct instance *i, const char *socket, struct error *err)
{
	if (manager_start(m, socket, SOCKET_TIMEOUT, err) == 0)
		return 0;
	install_explain_socket(m, i, err);
	return -1;
}

/* The trigger limit is no longer visible once the failure is reset. */
static void outwait_triggers(const struct unit_state *socket)
{
	if (!is(socket->active_state, "failed") || is(socket->result, "trigger-limit-hit"))
		install_outwait_trigger_limit(socket->since_usec);
}

static int open_socket(struct manager *m, const struct instance *i, const char *socket, const char *service,
		       struct error *err)
{
	if (manager_reset_failed(m, socket, err) < 0 || manager_reset_failed(m, service, err) < 0)
		return -1;
	return start_socket(m, i, socket, err);
}

/* Only while no client is served or waits. */
static int reopen_socket(struct manager *m, const struct instance *i, const char *socket, struct error *err)
{
	if (listen_check_files(i, err) < 0 || manager_stop(m, socket, SOCKET_TIMEOUT, err) < 0)
		return -1;
	return start_socket(m, i, socket, err);
}

enum socket_fate { SOCKET_AS_IT_WAS, SOCKET_OPENED, SOCKET_STAYS_STOPPED };

/* Applies one refresh. A socket that somebody has stopped stays stopped. */
static int apply(struct manager *m, const struct refresh *r, enum socket_fate *ret, struct error *err)
{
	const struct instance *i = &r->stored->instance;
	char socket[UNIT_NAME_MAX], service[UNIT_NAME_MAX], timer[UNIT_NAME_MAX];
	const char *units[2] = {unit_name(i->name, SOCKET_SUFFIX, socket), unit_name(i->name, SERVICE_SUFFIX, service)};
	struct unit_state states[2] = {};
	int done = manager_examine(m, units, 2, states, err);
	bool listens, sleeps;

	*ret = SOCKET_AS_IT_WAS;
	if (done == 0) {
		listens = is(states[0].active_state, "active");
		sleeps = is(states[1].active_state, "inactive") || is(states[1].active_state, "failed");
		if (was_closed(r, &states[0], &states[1])) {
			*ret = SOCKET_OPENED;
			outwait_triggers(&states[0]);
			done = open_socket(m, i, socket, service, err);
		} else if (listens && sleeps && r->changed & REFRESHED_SOCKET)
			done = reopen_socket(m, i, socket, err);
		else if (listens && r->changed && i->schedule) /* the schedule may be new to the manager */
			done = manager_start(m, unit_name(i->name, TIMER_SUFFIX, timer), SOCKET_TIMEOUT, err);
		else if (is(states[0].active_state, "inactive"))
			*ret = SOCKET_STAYS_STOPPED;
	}
	unit_states_clear(states, 2);
	return done;
}

static void say_what_was_done(const struct refresh *r, enum socket_fate fate, bool accept_volumes)
{
	const struct instance *i = &r->stored->instance;

	if (r->changed)
		note_done("Refreshed '%s'%s.", i->name, fate == SOCKET_OPENED ? ", and opened its socket again" : "");
	else if (fate == SOCKET_OPENED)
		note_done("Opened the socket of '%s' again.", i->name);
	else if (accept_volumes)
		note_done("The volumes of '%s' are accepted as they are.", i->name);
	else if (fate == SOCKET_AS_IT_WAS)
		note_done("'%s' is as it should be.", i->name);
	if (fate == SOCKET_STAYS_STOPPED)
		note_print("the socket of '%s' was stopped: 'systemctl %sstart %s" SOCKET_SUFFIX "' opens it again",
			   i->name, i->scope == SCOPE_USER ? "--user " : "", i->name);
}

/* Does the service stay for a moment to refuse clients because of the volumes that are accepted now (keeper.c)? */
static bool still_refuses(struct manager *m, const char *service)
{
	struct unit_state state = {};
	struct error ignored;
	bool ret = manager_examine(m, &service, 1, &state, &ignored) == 0 && is(state.active_state, "activating") &&
		   strstr(state.status_text, "--accept-volumes");

	unit_states_clear(&state, 1);
	return ret;
}

/* Ends a wake that was refused because of the volumes: the next client begins another. */
static void reset_wake(struct manager *m, const struct instance *i)
{
	char service[UNIT_NAME_MAX];
	struct error ignored;

	unit_name(i->name, SERVICE_SUFFIX, service);
	if (still_refuses(m, service))
		(void)manager_stop(m, service, SERVICE_TIMEOUT, &ignored);
	(void)manager_reset_failed(m, service, &ignored);
}

static void finish(struct manager *m, struct refresh *r, bool accept_volumes)
{
	const struct instance *i = &r->stored->instance;
	enum socket_fate fate = SOCKET_AS_IT_WAS;
	struct error err;

	if (made_heal(i, &err) < 0 && err.code != ENOTCONN && err.code != EALREADY) {
		note_print("the container of '%s': %s", i->name, err.text);
		r->failed |= err.code == EEXIST; /* a person must choose */
	}
	if (accept_volumes && keep_accept(i, &err) < 0)
		tell(r, &err);
	keep_remember(m, i, false);
	if (accept_volumes && m)
		reset_wake(m, i);
	if (m && apply(m, r, &fate, &err) < 0)
		tell(r, &err);
	if (!r->failed)
		say_what_was_done(r, fate, accept_volumes);
}

static int refresh_all(struct manager *m, const char *directory, struct refresh *refreshes, size_t n,
		       bool accept_volumes, struct error *err)
{
	_cleanup_programs_ struct programs p = {};
	unsigned failed = 0;

	for (size_t k = 0; k < n; k++)
		write_units(&p, directory, &refreshes[k]);
	if (m && reload(m, refreshes, n, err) < 0)
		return -1;
	if (m)
		install_order_engines(m);
	for (size_t k = 0; k < n; k++) {
		if (!refreshes[k].failed)
			finish(m, &refreshes[k], accept_volumes);
		failed += refreshes[k].failed;
	}
	if (failed)
		return error_set(err, 0, "%u of %zu could not be refreshed: the reasons are above", failed, n);
	return 0;
}

/* The named instances in that order, or all except those of the original tool, which have no units of ours. `ret` has
 * room for them. Returns how many. */
static size_t choose(const struct stored_list *all, char *const *names, struct refresh *ret)
{
	size_t n = 0;

	for (size_t k = 0; !names && k < all->n; k++) {
		if (!all->items[k].instance.legacy)
			ret[n++].stored = &all->items[k];
	}
	for (; names && *names; names++) {
		for (size_t k = 0; k < all->n; k++) {
			if (is(all->items[k].instance.name, *names))
				ret[n++].stored = &all->items[k];
		}
	}
	return n;
}

int refresh_instances(enum scope scope, char *const *names, bool accept_volumes, struct error *err)
{
	_cleanup_stored_list_ struct stored_list all = {}, asked = {}, named = {};
	_cleanup_manager_ struct manager *m = NULL;
	_cleanup_free_ struct refresh *refreshes = NULL;
	_cleanup_close_ int lock = -1;
	char directory[PATH_MAX];
	struct error why;
	size_t n;

	if (find_instances(scope, names, directory, &asked, err) < 0 || rights_require(scope, err) < 0 ||
	    unit_directory(scope, directory, err) < 0 || units_lock_take(scope, directory, &lock, err) < 0)
		return -1;
	/* They may have been removed while this command waited for the lock. */
	if (find_instances(scope, names, directory, &named, err) < 0 || store_scan(directory, &all, err) < 0)
		return -1;
	if (all.n == 0) {
		note_done("No managed instances found.");
		return 0;
	}
	if (programs_check(err) < 0)
		return -1;
	refreshes = calloc(all.n + named.n, sizeof(*refreshes));
	if (!refreshes)
		return error_errno(err, ENOMEM, "cannot refresh the instances");
	n = choose(&all, names, refreshes);
	instance_engine_ask_once(n);
	if (manager_connect(scope, &m, &why) < 0)
		note_print("only the files are refreshed: %s", why.text);
	return refresh_all(m, directory, refreshes, n, accept_volumes, err);
}

/* A timer without a file would go on. */
static void end_schedule(struct manager *m, const struct instance *old, const struct instance *i)
{
	char timer[UNIT_NAME_MAX];
	struct error ignored;

	if (old->schedule && !i->schedule)
		(void)manager_stop(m, unit_name(i->name, TIMER_SUFFIX, timer), SOCKET_TIMEOUT, &ignored);
}

int refresh_install(struct manager *m, const char *directory, const struct instance *old, const struct instance *i,
		    struct error *err)
{
	_cleanup_snapshot_ struct snapshot before = {};
	const struct stored stored = {.instance = *i}; /* borrows the pointers */
	struct refresh r = {.stored = &stored};
	enum socket_fate fate;
	struct error ignored;

	if (store_refresh(directory, i, &before, &r.changed, err) < 0)
		return -1;
	r.was_enabled = before.enabled;
	end_schedule(m, old, i);
	if (reload(m, &r, 1, err) == 0 && apply(m, &r, &fate, err) == 0)
		return 0;
	(void)store_restore(directory, i->name, &before, &ignored);
	(void)manager_reload(m, &ignored);
	return -1;
}
