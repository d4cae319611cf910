#include "activator/halt_unit.h"

#include <errno.h>
#include <string.h>

#include "activator/halt.h"
#include "activator/situation.h"
#include "activator/unit_container.h"
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

/* EEXIST: another one has its name, which is left alone. */
static int inspect(struct unit *u, struct engine *e, const struct options *o, struct container *ret, struct error *err)
{
	int r;

	e->deadline = time_from_now(HALT_QUESTION_LIMIT);
	r = unit_container_inspect(u, e, o, ret, err);
	e->deadline = USEC_INFINITY;
	return r;
}

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
	    inspect(u, e, h->options, &c, &err) == 0 && c.state == CONTAINER_RUNNING)
		(void)e->backend->stop(e, c.id, c.stop_timeout, &ignored, &err);
	return HELP_PERIOD;
}

/* For a unit without a file, the manager kills the program that would remove the container together with the
 * container: so the engine stops the container before, and removes it if it was created with --rm. */
static void stop_before(const struct options *o, struct engine *e, const struct container *c)
{
	_cleanup_container_ struct container now = {};
	struct options view = *o;
	enum stop_result ignored;
	struct error err;
	uint64_t until;

	if (c->state != CONTAINER_RUNNING || e->backend->stop(e, c->id, c->stop_timeout, &ignored, &err) < 0 ||
	    !c->auto_remove)
		return;
	view.container = c->id;
	until = time_from_now(HALT_SETTLE_USEC);
	while (halt_inspect(&view, e, &now, &err) == 0 && time_pause(HALT_SETTLE_PAUSE, until))
		;
}

/* Stops the unit, whatever its Restart= says, or pauses its container. A unit that is still starting has no container
 * to pause: its job would bring the container up later. c: the container; NULL: there is none, says *why. */
static int stop_or_pause(struct unit *u, const struct options *o, struct engine *e, const struct container *c,
			 const struct error *why, struct error *err)
{
	struct help h = {e, o};
	struct unit_view v;
	struct error ignored;

	if (unit_look(u, &v, err) < 0)
		return -1;
	if (!o->idle_pause || !unit_is_active(&v)) {
		if (c && e->backend->units_pass_signals)
			(void)e->backend->unpause(e, c->id, &ignored);
		if (c && unit_has_lost_its_file(u, o->unit))
			stop_before(o, e, c);
		return unit_stop(u, USEC_INFINITY, &(struct meanwhile){help_to_stop, &h}, err);
	}
	if (!c) {
		*err = *why;
		return -1;
	}
	return e->backend->pause(e, c->id, err) < 0 && !error_forgive(err, EBUSY) ? -1 : 0;
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
		if (!time_pause(HALT_SETTLE_PAUSE, until))
			return halt_busy(o, *ret, err);
	}
}

/* Must the unit be left alone? Yes if no wake has touched it, and its container seems not to run: a person may name
 * the wrong unit. */
static bool is_strange(const struct container *c, int lock_fd)
{
	char known[RUN_TEXT_MAX];

	lock_read(lock_fd, known);
	if (known[0])
		return false;
	return !c || (c->state != CONTAINER_RUNNING && c->state != CONTAINER_PAUSED);
}

static int halt(struct unit *u, const struct options *o, struct engine *e, int lock_fd, bool *ret_strange,
		struct error *err)
{
	_cleanup_container_ struct container inspected = {};
	struct error why;
	const struct container *c = inspect(u, e, o, &inspected, &why) == 0 ? &inspected : NULL;

	*ret_strange = is_strange(c, lock_fd);
	if (*ret_strange) {
		log_line(LOG_INFO, "the unit '%s' stays up: no container '%s' runs there", o->unit, o->container);
		return 0;
	}
	if (c)
		volumes_note(e, o, c);
	else if (why.code != ENOENT)
		log_line(LOG_INFO, "the volumes of the container '%s' are not remembered: %s", o->container, why.text);
	return stop_or_pause(u, o, e, c, &why, err);
}

int halt_unit(const struct options *o, struct engine *e, int lock_fd, const struct stats *stats, bool *ret_asleep,
	      struct error *err)
{
	_cleanup_unit_ struct unit *u = NULL;
	uint64_t wall = wall_usec();
	const struct decision *d;
	bool strange = false;

	if (unit_open(o->scope, o->unit, &u, err) < 0 || judge_unit(u, o, lock_fd, &d, err) < 0)
		return -1;
	log_debug("the unit '%s' %s", o->unit, d->because);
	if (d->action == ACTION_LEAVE || d->action == ACTION_SERVE) {
		halt_leave(o, d);
		return 0;
	}
	if (d->action == ACTION_HALT) {
		if (halt(u, o, e, lock_fd, &strange, err) < 0)
			return -1;
		if (strange)
			return 0;
		lock_record(lock_fd, "");
		halt_journal(o, stats, wall);
	}
	if (o->job)
		lock_record(lock_fd, ""); /* the next wake runs it again */
	*ret_asleep = true;
	return o->idle_pause ? 0 : unit_needs_stop(u, e, o, err);
}
