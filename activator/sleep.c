#include "activator/sleep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activator/apart.h"
#include "activator/dependencies.h"
#include "activator/halt.h"
#include "activator/halt_container.h"
#include "activator/halt_unit.h"
#include "activator/runtime.h"
#include "activator/unit.h"
#include "backends/engine.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "handover/channel.h"
#include "handover/exit.h"
#include "handover/listen.h"
#include "lifecycle/lock.h"
#include "units/paths.h"

/* Nobody else tries again after a keeper was killed. */
#define PAUSE	 USEC_PER_SEC
#define PATIENCE (15 * 60 * USEC_PER_SEC)

/* How long to look for a stop of the service, which would keep systemd from starting the next keeper: this also slows
 * down keepers that are killed again and again. */
#define STOP_WINDOW (800 * USEC_PER_MSEC)
#define STOP_GLANCE (40 * USEC_PER_MSEC)

static bool variable_is(const char *name, const char *value)
{
	const char *s = getenv(name);

	return s && strcmp(s, value) == 0;
}

/* Runs after every keeper, as a safety net (systemd.exec(5), ExecStopPost=): a keeper that ended in its own way has
 * put the container to sleep already, and one that never ran has woken nothing. What kept it from running, too few
 * descriptors say, would make this take long, with clients waiting all the while. */
static bool keeper_is_done(void)
{
	const char *text = getenv("EXIT_STATUS");
	int status = text ? atoi(text) : -1;

	return variable_is("EXIT_CODE", "exited") &&
	       (status == 0 || status == EXIT_REFUSED || exit_is_before_main(status));
}

/* A keeper that exited in another way has given up. */
static bool keeper_was_killed(void)
{
	return apart_is_this() || (getenv("SERVICE_RESULT") && !variable_is("EXIT_CODE", "exited"));
}

/* systemd sends no signal to a service that is stopping already: without this the keeper would not learn that somebody
 * waits. */
static void tell_of_stop(const struct options *o)
{
	int keeper = channel_inherited();
	_cleanup_unit_ struct unit *u = keeper < 0 ? NULL : halt_open_service(o);

	if (u && unit_is_being_stopped(u))
		notify_send(keeper, "STOP=1");
}

/* systemd starts the next keeper at once, which owns the queue and can put the container to sleep, unless somebody
 * stops the service. It does not run this program for a service that is stopped while waiting for its restart: so the
 * wait is here. Returns whether there will be a next keeper. */
static bool await_next_keeper(const struct options *o)
{
	_cleanup_unit_ struct unit *u = halt_open_service(o);
	uint64_t until = time_from_now(STOP_WINDOW);

	while (u && time_pause(STOP_GLANCE, until)) {
		if (unit_is_being_stopped(u))
			return false;
	}
	return u;
}

/* At shutdown nothing new is started. */
static bool is_left_to_others(const struct options *o, char *const *argv)
{
	return keeper_was_killed() && !apart_is_this() && !manager_is_stopping(o->scope) &&
	       (await_next_keeper(o) || apart_begin(o, argv));
}

/* At shutdown the engine is gone for good, and its containers are gone or soon will be. */
static bool is_shutdown(const struct options *o, const struct error *err)
{
	if (err->code != ENOTCONN && err->code != ETIMEDOUT && err->code != ECONNRESET)
		return false;
	return manager_is_stopping(o->scope);
}

/* Puts one container to sleep unless somebody uses it. *ret_asleep: it no longer runs. stats: NULL for a
 * dependency. */
static int put_one_to_sleep(const struct options *o, struct engine *e, const struct stats *stats, bool *ret_asleep,
			    struct error *err)
{
	_cleanup_container_lock_ struct container_lock lock = NO_CONTAINER_LOCK;
	const struct situation shared = {.event = o->because, .circumstances = CIRCUMSTANCE_SHARED};
	char directory[PATH_MAX], named[LOCK_NAME_MAX];

	*ret_asleep = false;
	log_debug("puts the container '%s' to sleep (%s)", o->container, event_name(o->because));
	lock_name(o->backend, e->socket, o->container, named);
	if (runtime_directory(o->scope, directory, err) < 0)
		return -1;
	if (container_lock_exclusive(&lock, directory, named, o->unit, time_from_now(LOCK_PATIENCE), err) < 0) {
		if (!error_forgive(err, EWOULDBLOCK))
			return -1;
		if (!o->job) /* which has ended */
			halt_leave(o, decide(&shared));
		return 0;
	}
	return o->unit ? halt_unit(o, e, lock.named, stats, ret_asleep, err)
		       : halt_container(o, e, &lock, directory, stats, ret_asleep, err);
}

/* Puts the dependencies to sleep in the reverse order of the wake, and only if the container that needs them does not
 * run. One that fails does not keep the others awake; reports the first failure. */
static int put_all_to_sleep(const struct options *o, struct engine *e, const struct stats *stats, struct error *err)
{
	struct error failure;
	bool asleep, ignored;
	int r = 0;

	if (put_one_to_sleep(o, e, stats, &asleep, err) < 0)
		return -1;
	for (unsigned k = o->n_dependencies; asleep && k-- > 0;) {
		struct options view = dependency_options(o, k);

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

int sleep_container(const struct options *o, char *const *argv, struct error *err)
{
	uint64_t until = time_from_now(PATIENCE);
	const struct stats *stats;

	if (keeper_is_done() || is_left_to_others(o, argv))
		return 0;
	stats = runtime_stats(o);
	while (try_all(o, stats, err) < 0) {
		if (is_shutdown(o, err)) {
			log_line(LOG_INFO, "the system is going down: %s", err->text);
			return error_clear(err);
		}
		if (!keeper_was_killed() || !time_pause(PAUSE, until)) {
			tell_of_stop(o);
			return -1;
		}
		error_clear(err);
	}
	return 0;
}
