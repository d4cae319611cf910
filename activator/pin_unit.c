/* The unit's job comes first. Its container is then found without the engine if possible (conmon.c), else by name, as in
 * pin.c. A unit of Type=simple (`docker run`) finishes its job before the container runs: so the search goes on until
 * the deadline, or until the unit has failed.
 *
 * The unit's invocation, which the lock records, tells who began a run (situation.h).
 */
#include "activator/pin_unit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "activator/conmon.h"
#include "activator/pin.h"
#include "activator/situation.h"
#include "activator/start_job.h"
#include "activator/tell.h"
#include "activator/unit_needs.h"
#include "backends/reach.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "lifecycle/lock.h"

static int start(struct unit *u, struct engine *e, const struct options *o, int lock_fd, bool *woken, struct error *err)
{
	struct needs needs;
	struct unit_view v;
	int r;

	/* The unit of a paused container is active; a container that its unit has removed cannot be unpaused. */
	if (o->idle_pause) {
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
	lock_record(lock_fd, RUN_STARTING);
	tell_starting_unit(o->unit);
	unit_needs_before(u, o, &needs);
	r = start_job(u, &v, e, o, err);
	if (r == 0)
		unit_needs_after(u, o, &needs);
	return r;
}

/* 1: it is pinned; 0: it does not run yet; -1: error. */
static int late(const struct options *o, struct error *err)
{
	return error_set(err, ETIMEDOUT, "the unit '%s' runs, but no container '%s' did in time: is that its name?",
			 o->unit, o->container);
}

static int pin_by_name(struct engine *e, const struct options *o, bool again, struct container *c, int *ret_pidfd,
		       struct error *err)
{
	uint64_t asked = now_usec();

	container_clear(c);
	if (e->backend->inspect(e, o->container, c, err) < 0) {
		if (again && pin_ran_out(e, asked, err))
			return late(o, err);
		return container_is_in_between(err) ? error_clear(err) : -1;
	}
	if (c->state == CONTAINER_PAUSED && e->backend->unpause(e, o->container, err) < 0 && !error_forgive(err, EBUSY))
		return -1;
	return c->state == CONTAINER_RUNNING && c->pid > 1 ? pin_inspected(e, o, c, ret_pidfd, err) : 0;
}

static int pin_by_monitor(struct engine *e, const struct options *o, const struct unit_view *v, struct container *c,
			  int *ret_pidfd, struct error *err)
{
	struct monitored m;
	int r = v->main_pid
			? conmon_pin((pid_t)v->main_pid, o->container, "/proc", "/sys/fs/cgroup", &m, ret_pidfd, err)
			: 0;

	if (r <= 0)
		return r;
	if (m.frozen && e->backend->unpause(e, m.id, err) < 0 && !error_forgive(err, EBUSY)) {
		close_fd(ret_pidfd);
		return -1;
	}
	snprintf(c->id, sizeof(c->id), "%s", m.id);
	snprintf(c->name, sizeof(c->name), "%s", o->container);
	c->pid = m.pid;
	c->state = CONTAINER_RUNNING;
	log_debug("process %d is the first one of the container '%s', says the unit's conmon: has its pidfd", c->pid,
		  c->name);
	return 1;
}

static int await_container(struct unit *u, struct engine *e, const struct options *o, struct unit_view *v,
			   struct container *c, int *ret_pidfd, struct error *err)
{
	struct told told = {};

	for (bool again = false;; again = true) {
		int r = unit_look(u, v, err);

		if (r == 0 && !unit_is_active(v) && strcmp(v->active, "activating") != 0)
			return unit_failed(u, v, err);
		/* The engine must be asked for the container as a whole if it runs the health check, or if we need to
		 * know what the container sees of the host. */
		if (r == 0 && e->backend->monitors_in_units && !o->healthy && !reach_matters(o->health_check))
			r = pin_by_monitor(e, o, v, c, ret_pidfd, err);
		if (r == 0)
			r = pin_by_name(e, o, again, c, ret_pidfd, err);
		if (r != 0)
			return r < 0 ? -1 : 0;
		tell_awaited(&told, NULL, "the unit '%s' runs, but no container '%s' does: is that its name?", o->unit,
			     o->container);
		(void)poll(NULL, 0, e->backend->unit_retry_msec);
		/* After the deadline a request would fail, and the engine would be blamed. */
		if (timeout_msec(e->deadline) == 0)
			return late(o, err);
	}
}

int pin_unit(struct engine *e, const struct options *o, struct stats *stats, int lock_fd, struct container *ret,
	     int *ret_pidfd, bool *ret_woken, bool *ret_own, struct error *err)
{
	_cleanup_unit_ struct unit *u = NULL;
	struct unit_view v;

	*ret_woken = false;
	if (unit_open(o->scope, o->unit, &u, err) < 0)
		return -1;
	unit_runs(u, o->container);
	for (;;) {
		bool was_up;

		if (start(u, e, o, lock_fd, ret_woken, err) < 0)
			return -1;
		stats->t_started = now_usec();
		was_up = !*ret_woken;
		if (await_container(u, e, o, &v, ret, ret_pidfd, err) == 0)
			break;
		/* A unit that was up and ends is being restarted, or its container replaced. */
		if (!was_up || timeout_msec(e->deadline) == 0 || !error_forgive(err, ECHILD))
			return -1;
	}
	stats->t_inspected = now_usec();
	*ret_own = *ret_woken || unit_is_own(lock_fd, &v);
	unit_record(lock_fd, &v, *ret_own);
	return 0;
}
