/* The unit's job comes first. Its container is then found without the engine if possible (conmon.c), else by name, as in
 * pin.c. A unit of Type=simple (`docker run`) finishes its job before the container runs: so the search goes on until
 * the deadline, or until the unit has failed.
 *
 * The unit's invocation, which the lock records, tells who began a run (situation.h).
 *
 * The unit of a Kubernetes file goes on when one of its containers ends: nobody but the engine can start that one again.
 */
#include "activator/pin_unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "activator/conmon.h"
#include "activator/free_name.h"
#include "activator/pin.h"
#include "activator/situation.h"
#include "activator/start_job.h"
#include "activator/tell.h"
#include "activator/unit_container.h"
#include "activator/unit_needs.h"
#include "backends/reach.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "lifecycle/lock.h"
#include "units/log_command.h"

/* An engine restarts a container, and the manager notices a unit's end, within this time. */
#define ENDED_LIMIT USEC_PER_SEC

/* The container of a unit that is up, and what became of it. */
struct search {
	struct unit *unit;
	struct unit_view view;
	bool was_up;	      /* the unit, before this wake */
	bool restarted;	      /* the container, by this wake: once is enough */
	bool unpaused;	      /* the container, by this wake */
	uint64_t ended_since; /* 0, or since when the container has been seen ended */
	uint64_t gone_since;  /* 0, or since when there has been none */
};

static int start(struct unit *u, struct engine *e, const struct options *o, const struct container_lock *lock,
		 bool *woken, struct error *err)
{
	struct needs needs;
	struct unit_view v;
	int r;

	/* The unit of a paused container is active; a container that its unit has removed cannot be unpaused. The monitor in
	 * a unit tells whether the container is paused, and which one it is. */
	if (o->idle_pause && !e->backend->monitors_in_units) {
		if (e->backend->unpause(e, o->container, err) == 0) {
			*woken = true;
			return 0;
		}
		if (!error_forgive(err, EBUSY) && !error_forgive(err, ENOENT))
			return -1;
	}
	if (unit_look(u, &v, err) < 0)
		return -1;
	log_debug("the unit '%s' is %s", o->unit, v.active);
	if (unit_is_active(&v))
		return 0;
	*woken = true;
	unit_needs_before(u, o, &needs);
	r = start_job(u, &v, e, o, &needs, lock, err);
	if (r == 0)
		unit_needs_after(u, o, &needs);
	return r;
}

static int late(const struct options *o, struct error *err)
{
	return error_set(err, ETIMEDOUT,
			 "the unit '%s' runs, but no container '%s' did in time: it may have another name", o->unit,
			 o->container);
}

/* The unit of a Kubernetes file goes on when somebody removes one of its containers, and only its restart makes that anew.
 * That is left to a person: it ends the other containers of the unit, which may have clients. */
static int check_gone(struct search *s, const struct options *o, struct error *err)
{
	if (!unit_is_active(&s->view) || !s->was_up || !unit_labels_containers(s->unit, o->unit)) {
		s->gone_since = 0;
		return 0;
	}
	if (s->gone_since == 0)
		s->gone_since = now_usec();
	if (!time_is_over(time_after(s->gone_since, ENDED_LIMIT)))
		return 0;
	return error_set(
		err, ENOENT,
		"the unit '%s' runs without its container '%s': if somebody has removed that, 'systemctl%s "
		"restart %s' makes it anew, with all others of the unit; if it has another name, 'podman ps -a' "
		"shows it",
		o->unit, o->container, o->scope == SCOPE_USER ? " --user" : "", o->unit);
}

/* Has it ended for good, while the unit and the rest of its pod go on? */
static bool is_left_behind(struct search *s, const struct options *o, const struct container *c)
{
	bool ended = c->state == CONTAINER_EXITED || c->state == CONTAINER_CREATED;

	if (!ended || !c->pod[0] || !unit_is_active(&s->view) || !unit_container_is_own(s->unit, o->unit, c)) {
		s->ended_since = 0;
		return false;
	}
	if (s->ended_since == 0)
		s->ended_since = now_usec();
	return time_is_over(time_after(s->ended_since, ENDED_LIMIT));
}

/* A container that has ended since this wake began is not started again: that would hide its failure. */
static int restart(struct search *s, struct engine *e, const struct options *o, const struct container *c,
		   struct error *err)
{
	enum start_result ignored;
	char log[LOG_COMMAND_MAX];

	s->ended_since = 0;
	if (s->was_up && !s->restarted) {
		log_debug("the container '%s' is %s, and its unit runs: starts it", c->name,
			  container_state_name(c->state));
		s->restarted = true;
		/* Somebody else may do the same, or pause it. */
		return e->backend->start(e, c->id, &ignored, err) < 0 && !error_forgive(err, EBUSY) ? -1 : 0;
	}
	if (container_may_restart(c))
		return 0;
	return error_set(err, ECHILD, ENDED_EARLY, c->name, c->exit_code,
			 log_command(o->scope, NULL, o->backend, c->name, log));
}

/* One that somebody else has unpaused meanwhile is success. */
static int unpause(struct search *s, struct engine *e, const char *id, struct error *err)
{
	if (e->backend->unpause(e, id, err) < 0)
		return error_forgive(err, EBUSY) ? 0 : -1;
	s->unpaused = true;
	return 0;
}

/* 1: it is pinned; 0: it does not run yet; -1: error. */
static int pin_by_name(struct search *s, struct engine *e, const struct options *o, bool again, struct container *c,
		       int *ret_pidfd, struct error *err)
{
	uint64_t asked = now_usec();

	container_clear(c);
	if (unit_container_inspect(s->unit, e, o, c, err) < 0) {
		if (again && pin_ran_out(e, asked, err))
			return late(o, err);
		/* A unit that is still starting may be about to replace it. */
		if (err->code == EEXIST && !unit_is_active(&s->view))
			return error_clear(err);
		if (!container_is_in_between(err))
			return -1;
		return error_forgive(err, ENOENT) ? check_gone(s, o, err) : error_clear(err);
	}
	s->gone_since = 0;
	if (is_left_behind(s, o, c))
		return restart(s, e, o, c, err);
	if (c->state == CONTAINER_PAUSED && unpause(s, e, c->id, err) < 0)
		return -1;
	return c->state == CONTAINER_RUNNING && c->pid > 1 ? pin_inspected(e, o, c, ret_pidfd, err) : 0;
}

static int pin_by_monitor(struct search *s, struct engine *e, const struct options *o,
			  const struct container_lock *lock, struct container *c, int *ret_pidfd, struct error *err)
{
	struct monitored m;
	const struct unit_view *v = &s->view;
	int r = v->main_pid
			? conmon_pin((pid_t)v->main_pid, o->container, "/proc", "/sys/fs/cgroup", &m, ret_pidfd, err)
			: 0;

	if (r <= 0)
		return r;
	if (m.frozen && unpause(s, e, m.id, err) < 0)
		return -1;
	snprintf(c->id, sizeof(c->id), "%s", m.id);
	snprintf(c->name, sizeof(c->name), "%s", o->container);
	c->pid = m.pid;
	c->state = CONTAINER_RUNNING;
	free_name_remember(lock->identity, &m, "/proc");
	log_debug("process %d is the first one of the container '%s', says the unit's conmon: has its pidfd", c->pid,
		  c->name);
	return 1;
}

static int await_container(struct search *s, struct engine *e, const struct options *o,
			   const struct container_lock *lock, struct container *c, int *ret_pidfd, struct error *err)
{
	const struct unit_view *v = &s->view;
	struct told told = {};

	for (bool again = false;; again = true) {
		int r = 0;

		if (unit_look(s->unit, &s->view, err) < 0)
			return -1;
		if (!unit_is_active(v) && strcmp(v->active, "activating") != 0)
			return unit_failed(s->unit, v, err);
		/* The engine must be asked for the container as a whole if it runs the health check, or if we need to
		 * know what the container sees of the host. */
		if (e->backend->monitors_in_units && !o->healthy && !reach_matters(o->health_check))
			r = pin_by_monitor(s, e, o, lock, c, ret_pidfd, err);
		if (r == 0)
			r = pin_by_name(s, e, o, again, c, ret_pidfd, err);
		if (r != 0)
			return r < 0 ? -1 : 0;
		tell_awaited(&told, NULL, "the unit '%s' runs, but no container '%s' does: it may have another name",
			     o->unit, o->container);
		/* After the deadline a request would fail, and the engine would be blamed. */
		if (!time_pause_within(e->backend->unit_retry, e->deadline))
			return late(o, err);
	}
}

int pin_unit(struct engine *e, const struct options *o, struct stats *stats, const struct container_lock *lock,
	     struct container *ret, int *ret_pidfd, bool *ret_woken, bool *ret_own, struct error *err)
{
	_cleanup_unit_ struct unit *u = NULL;
	struct search s = {};

	*ret_woken = false;
	if (unit_open(o->scope, o->unit, &u, err) < 0)
		return -1;
	unit_runs(u, o->container);
	s.unit = u;
	for (;;) {
		if (start(u, e, o, lock, ret_woken, err) < 0)
			return -1;
		stats->t_started = now_usec();
		s.was_up = !*ret_woken;
		if (await_container(&s, e, o, lock, ret, ret_pidfd, err) == 0)
			break;
		/* A unit that was up and ends is being restarted, or its container replaced. */
		if (!s.was_up || s.restarted || s.unpaused || timeout_msec(e->deadline) == 0 ||
		    !error_forgive(err, ECHILD))
			return -1;
	}
	stats->t_inspected = now_usec();
	*ret_woken |= s.unpaused;
	*ret_own = *ret_woken || unit_is_own(lock->named, &s.view);
	unit_record(lock->named, &s.view, *ret_own);
	return 0;
}
