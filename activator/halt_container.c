#include "activator/halt_container.h"

#include <errno.h>
#include <string.h>

#include "activator/halt.h"
#include "activator/situation.h"
#include "activator/volumes.h"
#include "common/fault.h"
#include "common/log.h"

/* A little longer than a container may take that is given HALT_SETTLE_USEC. */
#define JUDGE_LIMIT (HALT_SETTLE_USEC + HALT_SETTLE_PAUSE)

/* Stops or pauses the one that was inspected: its name may be another's by now. Sets *ret_slept if it ran. *ret_ended: it ended by itself, before it was told to. */
static int stop_or_pause(struct engine *e, const struct options *o, const struct container *c, bool *ret_slept,
			 bool *ret_ended, struct error *err)
{
	const struct backend *b = e->backend;
	enum stop_result how;

	*ret_ended = false;
	switch (c->state) {
	case CONTAINER_PAUSED:
		if (o->idle_pause)
			return 0;
		/* No engine stops a paused container reliably. */
		if (b->unpause(e, c->id, err) < 0 && !error_forgive(err, EBUSY))
			return -1;
		break;
	case CONTAINER_RUNNING:
		if (o->idle_pause) {
			*ret_slept = true;
			return b->pause(e, c->id, err);
		}
		break;
	case CONTAINER_RESTARTING:
	case CONTAINER_STOPPING:
	case CONTAINER_UNKNOWN:
		break;
	default:
		return 0;
	}
	*ret_slept = true;
	if (b->stop(e, c->id, c->stop_timeout, &how, err) < 0)
		return -1;
	*ret_ended = how == STOP_HAD_ENDED;
	return 0;
}

/* Checks that it no longer runs: an engine's answer may still be wrong. */
static int see_asleep(const struct options *o, struct engine *e, const char *id, struct error *err)
{
	_cleanup_container_ struct container c = {};
	struct options view = *o;

	view.container = id;
	if (halt_inspect(&view, e, &c, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	if (c.state != CONTAINER_RUNNING && (c.state != CONTAINER_PAUSED || o->idle_pause))
		return 0;
	return error_set(err, EBUSY,
			 "%s says that it has stopped the container '%s', which is %s: '%s stop %s' may say why",
			 e->backend->title, c.name, container_state_name(c.state), e->backend->name, c.name);
}

static bool is_up(const struct container *c)
{
	return c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED || c->state == CONTAINER_RESTARTING;
}

/* Updaters rename a container and create another with its name: the lock then keeps the identifier of the one that a
 * wake has brought up. 1: it is up, *o names it by its identifier, and *ret describes it; 0: there is none. */
static int find_renamed(struct options *o, struct engine *e, int lock_fd, struct container *ret, char id[static 65],
			struct error *err)
{
	_cleanup_container_ struct container c = {};
	struct options view = *o;

	if (lock_is_asleep(lock_fd) || !lock_read_id(lock_fd, id) || strcmp(ret->id, id) == 0)
		return 0;
	view.container = id;
	if (halt_inspect(&view, e, &c, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	if (!is_up(&c))
		return 0;
	container_clear(ret);
	*ret = c;
	c = (struct container){};
	o->container = id;
	return 1;
}

/* ENOENT: there is none. */
static int find(struct options *o, struct engine *e, int lock_fd, struct container *ret, char id[static 65],
		struct error *err)
{
	struct error missing;
	int r, renamed;

	r = halt_inspect(o, e, ret, &missing);
	if (r < 0 && missing.code != ENOENT) {
		*err = missing;
		return -1;
	}
	renamed = find_renamed(o, e, lock_fd, ret, id, err);
	if (renamed == 0 && r < 0)
		*err = missing;
	return renamed > 0 ? 0 : renamed < 0 ? -1 : r;
}

/* Until when a stopped container may come up by itself; `ended`: it has just ended. */
static uint64_t settled_after(const struct options *o, const struct container *c, bool ended, int lock_fd, uint64_t ran)
{
	if (lock_holds(lock_fd, RUN_STARTING))
		return ran + HALT_SETTLE_USEC;
	return (ended || o->because == EVENT_FAILED) && container_may_restart(c) ? ran + RESTART_USEC : 0;
}

/* Examines the container, and takes its second lock, until the table no longer says to wait. */
static int judge_container(struct options *o, struct engine *e, struct container_lock *lock, const char *directory,
			   bool ended, struct container *c, char id[static 65], const struct decision **ret,
			   struct error *err)
{
	uint64_t give_up = time_from_now(JUDGE_LIMIT), ran = now_usec(); /* when the last run was seen */
	char run[sizeof(c->started_at)] = "";

	for (;;) {
		int found = find(o, e, lock->named, c, id, err);
		struct situation s;

		if (found < 0 && !error_forgive(err, ENOENT))
			return -1;
		s = situation_of_container(o, o->because, found < 0 ? NULL : c, lock->named);
		if (o->container == id)
			s.circumstances |= CIRCUMSTANCE_RENAMED;
		if (found == 0 &&
		    container_lock_found_exclusive(lock, directory, c->id, time_from_now(LOCK_PATIENCE), err) < 0) {
			if (!error_forgive(err, EWOULDBLOCK))
				return -1;
			s.circumstances |= CIRCUMSTANCE_SHARED;
		}
		if (found == 0 && strcmp(run, c->started_at) != 0) {
			strcpy(run, c->started_at);
			ran = now_usec();
		}
		if (found == 0 && !time_is_over(settled_after(o, c, ended, lock->named, ran)))
			s.circumstances |= CIRCUMSTANCE_RECENT;
		*ret = decide(&s);
		if ((*ret)->action != ACTION_WAIT)
			return 0;
		if (!time_pause(HALT_SETTLE_PAUSE, give_up))
			return halt_busy(o, *ret, err);
	}
}

static int restarts_for_ever(const struct options *o, const struct engine *e, struct error *err)
{
	return error_set(
		err, EBUSY,
		"the container '%s' ends by itself, and its restart policy starts it, over and over: '%s stop %s' "
		"may end that",
		o->container, e->backend->name, o->container);
}

/* Says why it stays up. A renamed one that is somebody else's by now is forgotten: true; the one of the name comes next. */
static bool leave(const struct options *o, const struct decision *d, const struct container *c, const char *id,
		  int lock_fd)
{
	struct options view = *o;

	if (o->container == id)
		view.container = c->name;
	halt_leave(&view, d);
	if (o->container != id || d->circumstances != CIRCUMSTANCE_RENAMED)
		return false;
	lock_record(lock_fd, "");
	return true;
}

/* *ret_renamed: the container no longer has the name. */
static int halt_one(const struct options *given, struct engine *e, struct container_lock *lock, const char *directory,
		    const struct stats *stats, bool *ret_asleep, bool *ret_renamed, struct error *err)
{
	_cleanup_container_ struct container c = {};
	struct options view = *given, *o = &view;
	const struct decision *d;
	uint64_t wall = wall_usec(), give_up = time_from_now(HALT_SETTLE_USEC);
	bool slept = false, ended = false;
	const char *halted;
	char id[65];

	/* A stop ends the restarts only if the engine has stopped the container itself. */
	do {
		if (ended && time_is_over(give_up))
			return restarts_for_ever(o, e, err);
		if (judge_container(o, e, lock, directory, ended, &c, id, &d, err) < 0)
			return -1;
		log_debug("the container '%s' %s", o->container, d->because);
		ended = false;
		if (d->action == ACTION_LEAVE || d->action == ACTION_SERVE) {
			*ret_renamed = leave(o, d, &c, id, lock->named);
			return 0;
		}
		if (d->action == ACTION_HALT && c.state == CONTAINER_RUNNING)
			volumes_note(e, given, &c);
		FAULT("sleep:decided");
		if (d->action == ACTION_HALT && stop_or_pause(e, o, &c, &slept, &ended, err) < 0) {
			*ret_asleep = error_forgive(err, ENOENT); /* it removed itself when it ended */
			return *ret_asleep ? 0 : -1;
		}
	} while (ended);
	FAULT("sleep:stopped");
	halted = c.id[0] ? c.id : lock->id; /* it may be gone by now */
	if (slept && see_asleep(o, e, halted, err) < 0)
		return -1;
	lock_record_asleep(lock->named, halted);
	if (slept)
		halt_journal(o, stats, wall);
	*ret_asleep = true;
	*ret_renamed = o->container == id;
	return 0;
}

/* After a renamed container, handles the one that may run in its place by now. */
int halt_container(const struct options *o, struct engine *e, struct container_lock *lock, const char *directory,
		   const struct stats *stats, bool *ret_asleep, struct error *err)
{
	bool renamed = true;
	int r = 0;

	while (r == 0 && renamed) {
		*ret_asleep = renamed = false;
		r = halt_one(o, e, lock, directory, stats, ret_asleep, &renamed, err);
	}
	return r;
}
