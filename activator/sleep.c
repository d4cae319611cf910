#include "activator/sleep.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activator/journal.h"
#include "activator/runtime.h"
#include "activator/situation.h"
#include "activator/unit.h"
#include "activator/unit_needs.h"
#include "activator/volumes.h"
#include "activator/with.h"
#include "common/channel.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/exit.h"
#include "common/listen.h"
#include "common/log.h"
#include "lifecycle/lock.h"
#include "units/paths.h"

/* After a keeper that was killed nobody else tries again. */
#define PAUSE	 USEC_PER_SEC
#define PATIENCE (15 * 60 * USEC_PER_SEC)

/* How long a stop of the service is looked for that keeps systemd from starting the next keeper: keepers that are killed
 * again and again make no storm. */
#define STOP_WINDOW (800 * USEC_PER_MSEC)
#define STOP_GLANCE (40 * USEC_PER_MSEC)

#define QUESTION_LIMIT (5 * USEC_PER_SEC)

/* A start that was asked for by a program that was killed may still be on its way through the engine; somebody may be
 * about to stop or restart the container. */
#define SETTLE_USEC  (5 * USEC_PER_SEC)
#define SETTLE_PAUSE (500 * USEC_PER_MSEC)
/* An engine takes less than this from the end of a container to its restart by policy. */
#define POLICY_USEC (2 * USEC_PER_SEC)

static bool variable_is(const char *name, const char *value)
{
	const char *s = getenv(name);

	return s && strcmp(s, value) == 0;
}

/* 203: there is no keeper to execute, and so none has woken anything (systemd.exec(5)). */
#define MANAGER_CANNOT_EXEC "203"

/* As the net under a keeper (systemd.exec(5), ExecStopPost=): one that ended in its own way has done it already. */
static bool keeper_is_done(void)
{
	char refused[8];

	snprintf(refused, sizeof(refused), "%d", EXIT_REFUSED);
	return variable_is("EXIT_CODE", "exited") &&
	       (variable_is("EXIT_STATUS", "0") || variable_is("EXIT_STATUS", refused) ||
		variable_is("EXIT_STATUS", MANAGER_CANNOT_EXEC));
}

/* One that exited in another way has given up. */
static bool keeper_was_killed(void)
{
	return getenv("SERVICE_RESULT") && !variable_is("EXIT_CODE", "exited");
}

static struct unit *open_service(const struct options *o)
{
	static char name[UNIT_NAME_MAX];
	struct error ignored;
	struct unit *u = NULL;

	(void)unit_open(o->scope, unit_name(o->name, ".service", name), &u, &ignored);
	return u;
}

/* systemd sends no signal to a service that is stopping already: the keeper would not learn that somebody waits. */
static void tell_of_stop(const struct options *o)
{
	int keeper = channel_inherited();
	_cleanup_unit_ struct unit *u = keeper < 0 ? NULL : open_service(o);

	if (u && unit_is_being_stopped(u))
		notify_send(keeper, "STOP=1");
}

/* systemd starts the next keeper at once, which owns the queue and can put to sleep, unless somebody stops the service.
 * A service that waits for its restart is stopped without this program being run: so the wait is here. Returns whether
 * there will be a next one. */
static bool await_next_keeper(const struct options *o)
{
	_cleanup_unit_ struct unit *u = manager_is_stopping(o->scope) ? NULL : open_service(o);
	uint64_t until = now_usec() + STOP_WINDOW;

	if (!u)
		return false;
	do {
		(void)poll(NULL, 0, (int)(STOP_GLANCE / USEC_PER_MSEC));
		if (unit_is_being_stopped(u))
			return false;
	} while (now_usec() < until);
	return true;
}

/* At shutdown the engine is gone for good, and so are its containers, or they soon will be. */
static bool is_shutdown(const struct options *o, const struct error *err)
{
	if (err->code != ENOTCONN && err->code != ETIMEDOUT)
		return false;
	return manager_is_stopping(o->scope);
}

/* Stops or pauses it. *ret_slept: it did run. */
static int halt(struct engine *e, const struct options *o, const struct container *c, bool *ret_slept,
		struct error *err)
{
	const struct backend *b = e->backend;

	*ret_slept = false;
	switch (c->state) {
	case CONTAINER_PAUSED:
		if (o->idle_pause)
			return 0;
		/* No engine stops a paused container reliably. */
		if (b->unpause(e, o->container, err) < 0 && err->code != EBUSY)
			return -1;
		break;
	case CONTAINER_RUNNING:
		if (o->idle_pause) {
			*ret_slept = true;
			return b->pause(e, o->container, err);
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
	return b->stop(e, o->container, c->stop_timeout, err);
}

/* wall: when it began to go to sleep. Without statistics it is a container of --with. */
static void write_journal(const struct options *o, const struct stats *s, uint64_t wall)
{
	uint64_t awake = s && s->wake_wall && wall > s->wake_wall ? wall - s->wake_wall : 0;
	char message[640], fields[512];

	if (!s) {
		snprintf(message, sizeof(message), "%s: the container '%s' was %s, too", o->name, o->container,
			 o->idle_pause ? "paused" : "stopped");
		journal_send(MESSAGE_WITH_SLEEP, o->name, o->container, message, "");
		return;
	}
	snprintf(message, sizeof(message),
		 "%s: the container '%s' was %s after %llu s: %llu connections, %llu bytes in, %llu bytes out", o->name,
		 o->container, o->idle_pause ? "paused" : "stopped", (unsigned long long)(awake / USEC_PER_SEC),
		 (unsigned long long)s->connections_total, (unsigned long long)s->bytes_to_container,
		 (unsigned long long)s->bytes_from_container);
	snprintf(fields, sizeof(fields),
		 "SOCKWAKE_AWAKE_USEC=%llu\nSOCKWAKE_CONNECTIONS=%llu\nSOCKWAKE_CONNECTIONS_FAILED=%llu\n"
		 "SOCKWAKE_FLOWS=%llu\nSOCKWAKE_BYTES_TO_CONTAINER=%llu\nSOCKWAKE_BYTES_FROM_CONTAINER=%llu\n",
		 (unsigned long long)awake, (unsigned long long)s->connections_total,
		 (unsigned long long)s->connections_failed, (unsigned long long)s->flows_total,
		 (unsigned long long)s->bytes_to_container, (unsigned long long)s->bytes_from_container);
	journal_send(MESSAGE_SLEEP, o->name, o->container, message, fields);
}

/* What stays up is said, and what was restarted is served: by the next keeper. */
static void leave(const struct options *o, const struct decision *d)
{
	_cleanup_unit_ struct unit *u = d->action == ACTION_SERVE ? open_service(o) : NULL;
	struct error why;

	if (u && unit_start_later(u, &why) < 0)
		log_line(LOG_WARNING, "%s", why.text);
	log_line(LOG_INFO, "the %s '%s' %s", o->unit ? "unit" : "container", o->unit ? o->unit : o->container,
		 d->because);
}

static int busy(const struct options *o, const struct decision *d, struct error *err)
{
	return error_set(err, EBUSY, "the %s '%s' %s", o->unit ? "unit" : "container", o->unit ? o->unit : o->container,
			 d->because);
}

/* Stops the unit, whatever its Restart= says, or pauses its container. One whose start is not over has nothing to pause:
 * its job would bring the container up later. */
static int halt_unit(struct unit *u, const struct options *o, struct engine *e, struct error *err)
{
	struct unit_view v;

	if (unit_look(u, &v, err) < 0)
		return -1;
	if (!o->idle_pause || !unit_is_active(&v)) {
		/* `docker run` hands signals on to a container that, paused, does not hear them; Podman's units
		 * kill. */
		if (o->backend == BACKEND_DOCKER)
			(void)e->backend->unpause(e, o->container, err);
		return unit_stop(u, USEC_INFINITY, err);
	}
	return e->backend->pause(e, o->container, err) < 0 && err->code != EBUSY ? -1 : 0;
}

/* Looks at the unit until the table does not say to wait any more. */
static int judge_unit(struct unit *u, const struct options *o, int lock_fd, const struct decision **ret,
		      struct error *err)
{
	uint64_t until = now_usec() + SETTLE_USEC;
	struct unit_view v;

	for (;;) {
		struct situation s;

		if (unit_look(u, &v, err) < 0)
			return -1;
		s = situation_of_unit(o, o->because, &v, lock_fd);
		*ret = decide(&s);
		if ((*ret)->action != ACTION_WAIT)
			return 0;
		if (now_usec() >= until)
			return busy(o, *ret, err);
		(void)poll(NULL, 0, (int)(SETTLE_PAUSE / USEC_PER_MSEC));
	}
}

/* A question may be asked again at any time: one that hangs is given up early, for clients may be waiting. */
static int inspect(const struct options *o, struct engine *e, struct container *ret, struct error *err)
{
	int r;

	e->deadline = now_usec() + QUESTION_LIMIT;
	r = e->backend->inspect(e, o->container, ret, err);
	e->deadline = USEC_INFINITY;
	return r;
}

/* A unit that no wake has anything to do with and whose container does not run, as far as can be told, is not to be
 * stopped: a person may name any unit, and be wrong. */
static bool is_strange(const struct options *o, struct engine *e, int lock_fd)
{
	_cleanup_container_ struct container c = {};
	char known[RUN_TEXT_MAX];
	struct error ignored;

	lock_read(lock_fd, known);
	if (known[0])
		return false;
	return inspect(o, e, &c, &ignored) < 0 || (c.state != CONTAINER_RUNNING && c.state != CONTAINER_PAUSED);
}

static int stop_unit(const struct options *o, struct engine *e, int lock_fd, const struct stats *stats,
		     bool *ret_asleep, struct error *err)
{
	_cleanup_unit_ struct unit *u = NULL;
	uint64_t wall = wall_usec();
	const struct decision *d;

	if (unit_open(o->scope, o->unit, &u, err) < 0 || judge_unit(u, o, lock_fd, &d, err) < 0) {
		if (err->code != ENOTCONN)
			return -1;
		log_line(LOG_INFO, "%s", err->text); /* the manager ends, and its units with it */
		return 0;
	}
	if (d->action == ACTION_LEAVE || d->action == ACTION_SERVE) {
		leave(o, d);
		return 0;
	}
	if (d->action == ACTION_HALT && is_strange(o, e, lock_fd)) {
		log_line(LOG_INFO, "the unit '%s' stays up: no container '%s' runs there", o->unit, o->container);
		return 0;
	}
	if (d->action == ACTION_HALT) {
		volumes_note(e, o, NULL);
		if (halt_unit(u, o, e, err) < 0)
			return -1;
		lock_record(lock_fd, "");
		write_journal(o, stats, wall);
	}
	*ret_asleep = true;
	return o->idle_pause ? 0 : needs_stop(u, e, o, err);
}

/* An engine that has answered may still be wrong about it. */
static int see_asleep(const struct options *o, struct engine *e, struct error *err)
{
	_cleanup_container_ struct container c = {};

	if (inspect(o, e, &c, err) < 0)
		return err->code == ENOENT ? 0 : -1;
	if (c.state != CONTAINER_RUNNING && (c.state != CONTAINER_PAUSED || o->idle_pause))
		return 0;
	return error_set(
		err, EBUSY, "%s says that it has stopped the container '%s', which is %s: '%s stop %s' may say why",
		e->backend->title, o->container, container_state_name(c.state), e->backend->name, o->container);
}

static bool is_up(const struct container *c)
{
	return c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED || c->state == CONTAINER_RESTARTING;
}

/* Updaters rename a container and make another one of its name: what a wake has brought up is then known by its
 * identifier, which the lock keeps. 1: it is up, *o names it so and *ret is what it is; 0: there is no such. */
static int find_renamed(struct options *o, struct engine *e, int lock_fd, struct container *ret, char id[static 65],
			struct error *err)
{
	_cleanup_container_ struct container c = {};
	struct options view = *o;

	if (lock_is_asleep(lock_fd) || !lock_read_id(lock_fd, id) || strcmp(ret->id, id) == 0)
		return 0;
	view.container = id;
	if (inspect(&view, e, &c, err) < 0)
		return err->code == ENOENT ? 0 : -1;
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

	container_clear(ret);
	r = inspect(o, e, ret, &missing);
	if (r < 0 && missing.code != ENOENT) {
		*err = missing;
		return -1;
	}
	renamed = find_renamed(o, e, lock_fd, ret, id, err);
	if (renamed == 0 && r < 0)
		*err = missing;
	return renamed > 0 ? 0 : renamed < 0 ? -1 : r;
}

/* Until when one that does not run may come up by itself. */
static uint64_t settled_after(const struct options *o, const struct container *c, int lock_fd, uint64_t began)
{
	if (lock_holds(lock_fd, RUN_STARTING))
		return began + SETTLE_USEC;
	return o->because == EVENT_FAILED && container_may_restart(c) ? began + POLICY_USEC : 0;
}

/* Looks at the container, and takes its second lock, until the table does not say to wait any more. */
static int judge_container(struct options *o, struct engine *e, struct container_lock *lock, const char *directory,
			   struct container *c, char id[static 65], const struct decision **ret, struct error *err)
{
	uint64_t began = now_usec();

	for (;;) {
		int found = find(o, e, lock->named, c, id, err);
		struct situation s;

		if (found < 0 && err->code != ENOENT)
			return -1;
		s = situation_of_container(o, o->because, found < 0 ? NULL : c, lock->named);
		if (found == 0 && container_lock_found_exclusive(lock, directory, c->id, err) < 0) {
			if (err->code != EWOULDBLOCK)
				return -1;
			s.circumstances |= CIRCUMSTANCE_SHARED;
		}
		if (found == 0 && now_usec() < settled_after(o, c, lock->named, began))
			s.circumstances |= CIRCUMSTANCE_RECENT;
		*ret = decide(&s);
		if ((*ret)->action != ACTION_WAIT)
			return 0;
		if (now_usec() >= began + SETTLE_USEC + SETTLE_PAUSE)
			return busy(o, *ret, err);
		(void)poll(NULL, 0, (int)(SETTLE_PAUSE / USEC_PER_MSEC));
	}
}

static int stop_container(const struct options *given, struct engine *e, struct container_lock *lock,
			  const char *directory, const struct stats *stats, bool *ret_asleep, struct error *err)
{
	_cleanup_container_ struct container c = {};
	struct options view = *given, *o = &view;
	const struct decision *d;
	uint64_t wall = wall_usec();
	bool slept = false;
	char id[65];

	if (judge_container(o, e, lock, directory, &c, id, &d, err) < 0)
		return -1;
	if (d->action == ACTION_LEAVE || d->action == ACTION_SERVE) {
		leave(o, d);
		return 0;
	}
	if (d->action == ACTION_HALT && c.state == CONTAINER_RUNNING)
		volumes_note(e, given, &c);
	if (d->action == ACTION_HALT && halt(e, o, &c, &slept, err) < 0) {
		*ret_asleep = err->code == ENOENT; /* it removed itself when it ended */
		return *ret_asleep ? 0 : -1;
	}
	if (slept && see_asleep(o, e, err) < 0)
		return -1;
	lock_record_asleep(lock->named, c.id[0] ? c.id : lock->id);
	if (slept)
		write_journal(o, stats, wall);
	*ret_asleep = true;
	return 0;
}

/* Unless somebody uses it. *ret_asleep: it does not run any more. stats: NULL for a container of --with. */
static int put_one_to_sleep(const struct options *o, struct engine *e, const struct stats *stats, bool *ret_asleep,
			    struct error *err)
{
	_cleanup_container_lock_ struct container_lock lock = NO_CONTAINER_LOCK;
	const struct situation shared = {.event = o->because, .circumstances = CIRCUMSTANCE_SHARED};
	char directory[PATH_MAX], named[LOCK_NAME_MAX];

	*ret_asleep = false;
	lock_name(o->backend, e->socket, o->container, named);
	if (runtime_directory(o->scope, directory, err) < 0)
		return -1;
	if (container_lock_exclusive(&lock, directory, named, o->unit, err) < 0) {
		if (err->code != EWOULDBLOCK)
			return -1;
		leave(o, decide(&shared));
		return 0;
	}
	return o->unit ? stop_unit(o, e, lock.named, stats, ret_asleep, err)
		       : stop_container(o, e, &lock, directory, stats, ret_asleep, err);
}

/* Those of --with, in the order opposite to that of the wake, and only when the one that needs them does not run. One
 * that fails does not keep the others awake; the first failure is told. */
static int put_all_to_sleep(const struct options *o, struct engine *e, const struct stats *stats, struct error *err)
{
	struct error failure;
	bool asleep, ignored;
	int r = 0;

	if (put_one_to_sleep(o, e, stats, &asleep, err) < 0)
		return -1;
	for (unsigned k = o->n_with; asleep && k-- > 0;) {
		struct options view = with_options(o, k);

		if (put_one_to_sleep(&view, e, NULL, &ignored, r < 0 ? &failure : err) < 0)
			r = -1;
	}
	return r;
}

static int try_all(const struct options *o, const struct stats *stats, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;

	if (engine_open(o->backend, o->scope, o->engine_socket, &engine, err) < 0)
		return -1;
	return put_all_to_sleep(o, engine, stats, err);
}

int put_to_sleep(const struct options *o, struct error *err)
{
	uint64_t until = now_usec() + PATIENCE;
	const struct stats *stats;

	if (keeper_is_done())
		return 0;
	if (keeper_was_killed() && await_next_keeper(o))
		return 0;
	stats = runtime_stats(o);
	while (try_all(o, stats, err) < 0) {
		if (is_shutdown(o, err)) {
			log_line(LOG_INFO, "the system is going down: %s", err->text);
			return 0;
		}
		if (!keeper_was_killed() || now_usec() >= until) {
			tell_of_stop(o);
			return -1;
		}
		(void)poll(NULL, 0, (int)(PAUSE / USEC_PER_MSEC));
	}
	return 0;
}
