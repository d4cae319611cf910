#include "activator/halt_unit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "activator/halt.h"
#include "activator/situation.h"
#include "activator/unit_needs.h"
#include "activator/volumes.h"
#include "common/clock.h"
#include "common/log.h"
#include "lifecycle/lock.h"

#define HELP_PERIOD (2 * USEC_PER_SEC)

struct help {
	struct engine *engine;
	const struct options *options;
};

/* A unit that is stopped in the middle of its start may leave its container behind: it comes up after everything has
 * been told to end, and the manager waits until it kills it (Podman's units: for 90 seconds). Stopping the container
 * ends that wait. */
static uint64_t help_to_stop(struct unit *u, void *data)
{
	_cleanup_container_ struct container c = {};
	const struct help *h = data;
	struct engine *e = h->engine;
	enum stop_result ignored;
	struct unit_view v;
	struct error err;

	if (unit_look(u, &v, &err) == 0 && strcmp(v.sub, "final-sigterm") == 0 &&
	    halt_inspect(h->options, e, &c, &err) == 0 && c.state == CONTAINER_RUNNING)
		(void)e->backend->stop(e, h->options->container, c.stop_timeout, &ignored, &err);
	return HELP_PERIOD;
}

/* For a unit without a file, the manager kills the program that would remove the container together with the
 * container: so the engine stops the container before, and removes it if it was created with --rm. */
static void stop_before(const struct options *o, struct engine *e)
{
	_cleanup_container_ struct container c = {};
	enum stop_result ignored;
	struct error err;
	uint64_t until;

	if (halt_inspect(o, e, &c, &err) < 0 || c.state != CONTAINER_RUNNING ||
	    e->backend->stop(e, o->container, c.stop_timeout, &ignored, &err) < 0 || !c.auto_remove)
		return;
	until = time_from_now(HALT_SETTLE_USEC);
	while (halt_inspect(o, e, &c, &err) == 0 && !time_is_over(until))
		(void)poll(NULL, 0, (int)(HALT_SETTLE_PAUSE / USEC_PER_MSEC));
}

/* Stops the unit, whatever its Restart= says, or pauses its container. A unit that is still starting has no container
 * to pause: its job would bring the container up later. */
static int stop_or_pause(struct unit *u, const struct options *o, struct engine *e, struct error *err)
{
	struct help h = {e, o};
	struct unit_view v;
	struct error ignored;

	if (unit_look(u, &v, err) < 0)
		return -1;
	if (!o->idle_pause || !unit_is_active(&v)) {
		if (e->backend->units_pass_signals)
			(void)e->backend->unpause(e, o->container, &ignored);
		if (unit_has_lost_its_file(u, o->unit))
			stop_before(o, e);
		return unit_stop(u, USEC_INFINITY, &(struct meanwhile){help_to_stop, &h}, err);
	}
	return e->backend->pause(e, o->container, err) < 0 && !error_forgive(err, EBUSY) ? -1 : 0;
}

/* Examines the unit until the table no longer says to wait. */
static int judge_unit(struct unit *u, const struct options *o, int lock_fd, const struct decision **ret,
		      struct error *err)
{
	uint64_t until = time_from_now(HALT_SETTLE_USEC);
	struct unit_view v;

	for (;;) {
		struct situation s;

		if (unit_look(u, &v, err) < 0)
			return -1;
		s = situation_of_unit(o, o->because, &v, lock_fd);
		if (unit_needs_is_required(u, o->unit))
			s.circumstances |= CIRCUMSTANCE_REQUIRED;
		*ret = decide(&s);
		if ((*ret)->action != ACTION_WAIT)
			return 0;
		if (time_is_over(until))
			return halt_busy(o, *ret, err);
		(void)poll(NULL, 0, (int)(HALT_SETTLE_PAUSE / USEC_PER_MSEC));
	}
}

/* Must the unit be left alone? Yes if no wake has touched it, and its container seems not to run: a person may name
 * the wrong unit. */
static bool is_strange(const struct options *o, struct engine *e, int lock_fd)
{
	_cleanup_container_ struct container c = {};
	char known[RUN_TEXT_MAX];
	struct error ignored;

	lock_read(lock_fd, known);
	if (known[0])
		return false;
	return halt_inspect(o, e, &c, &ignored) < 0 || (c.state != CONTAINER_RUNNING && c.state != CONTAINER_PAUSED);
}

int halt_unit(const struct options *o, struct engine *e, int lock_fd, const struct stats *stats, bool *ret_asleep,
	      struct error *err)
{
	_cleanup_unit_ struct unit *u = NULL;
	uint64_t wall = wall_usec();
	const struct decision *d;

	if (unit_open(o->scope, o->unit, &u, err) < 0 || judge_unit(u, o, lock_fd, &d, err) < 0)
		return -1;
	log_debug("the unit '%s' %s", o->unit, d->because);
	if (d->action == ACTION_LEAVE || d->action == ACTION_SERVE) {
		halt_leave(o, d);
		return 0;
	}
	if (d->action == ACTION_HALT && is_strange(o, e, lock_fd)) {
		log_line(LOG_INFO, "the unit '%s' stays up: no container '%s' runs there", o->unit, o->container);
		return 0;
	}
	if (d->action == ACTION_HALT) {
		volumes_note(e, o, NULL);
		if (stop_or_pause(u, o, e, err) < 0)
			return -1;
		lock_record(lock_fd, "");
		halt_journal(o, stats, wall);
	}
	if (o->job)
		lock_record(lock_fd, ""); /* the next wake runs it again */
	*ret_asleep = true;
	return o->idle_pause ? 0 : unit_needs_stop(u, e, o, err);
}
