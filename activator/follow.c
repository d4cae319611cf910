#include "activator/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "activator/halt.h"
#include "activator/runtime.h"
#include "activator/situation.h"
#include "backends/backend.h"
#include "backends/engine.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "handover/channel.h"
#include "handover/listen.h"
#include "lifecycle/lock.h"
#include "units/log_command.h"

#define GLANCE (100 * USEC_PER_MSEC)

/* The engine, or the manager, notices the end of a process within this time. */
#define NOTICE_USEC USEC_PER_SEC

/* Do not wait longer for a restart. */
#define PATIENCE (60 * USEC_PER_SEC)

struct eyes {
	struct engine *engine;
	struct unit *unit; /* NULL: ask the engine */
	int lock_fd;	   /* to read */
	uint64_t began;
	char ended[512]; /* how the run ended, as far as it was seen; "" */
	bool told;	 /* … and the keeper knows it */
};

static void see_end_of_unit(struct eyes *eyes, const struct unit_view *v)
{
	struct error how;

	if (unit_is_active(v) || strcmp(v->active, "activating") == 0 || strcmp(v->active, "deactivating") == 0)
		return;
	(void)unit_failed(eyes->unit, v, &how);
	snprintf(eyes->ended, sizeof(eyes->ended), "%.500s", how.text);
}

static void see_end_of_container(struct eyes *eyes, const struct options *o, const struct container *c)
{
	char log[LOG_COMMAND_MAX];

	if (c->state == CONTAINER_EXITED || c->state == CONTAINER_RESTARTING)
		snprintf(eyes->ended, sizeof(eyes->ended), ENDED_EARLY, o->container, c->exit_code,
			 log_command(o->scope, NULL, o->backend, o->container, log));
}

/* With the status, which the keeper cannot see: at once, since the keeper may not wait for the end of this program. */
static void tell_end(struct eyes *eyes)
{
	if (!eyes->ended[0] || eyes->told)
		return;
	notify_send(channel_inherited(), "ENDED=%s", eyes->ended);
	eyes->told = true;
}

/* The engine, or the manager, may not have noticed yet that the served run has ended. */
static void distrust_old_run(struct situation *s, uint64_t began)
{
	if (s->condition == CONDITION_RUNNING && s->run != RUN_OTHERS && !time_is_over(time_after(began, NOTICE_USEC)))
		s->condition = CONDITION_IN_HAND;
}

static int look(const struct options *o, struct eyes *eyes, uint64_t since, struct situation *ret, struct error *err)
{
	_cleanup_container_ struct container c = {};
	uint64_t recent = o->recent;
	struct unit_view v;
	bool missing;

	if (eyes->unit) {
		if (unit_look(eyes->unit, &v, err) < 0)
			return -1;
		see_end_of_unit(eyes, &v);
		*ret = situation_of_unit(o, EVENT_ENDED, &v, eyes->lock_fd);
	} else {
		missing = halt_inspect(o, eyes->engine, &c, err) < 0;
		if (missing && !container_is_in_between(err))
			return -1;
		if (missing)
			error_clear(err);
		if (!missing)
			see_end_of_container(eyes, o, &c);
		*ret = situation_of_container(o, EVENT_ENDED, missing ? NULL : &c, eyes->lock_fd);
		if (!missing && container_may_come_back(&c))
			recent = most_of(recent, RESTART_USEC);
	}
	distrust_old_run(ret, eyes->began);
	if (!time_is_over(time_after(since, recent)))
		ret->circumstances |= CIRCUMSTANCE_RECENT;
	return 0;
}

static int watch(const struct options *o, struct eyes *eyes, struct error *err)
{
	uint64_t since = eyes->began; /* not seen up since then */

	for (;;) {
		struct situation s;
		const struct decision *d;

		if (look(o, eyes, since, &s, err) < 0)
			return -1;
		tell_end(eyes);
		if (s.condition != CONDITION_OFF && s.condition != CONDITION_MISSING)
			since = now_usec();
		d = decide(&s);
		if (d->action == ACTION_SERVE)
			return 0;
		if (d->action != ACTION_WAIT || !time_pause(GLANCE, time_after(eyes->began, PATIENCE)))
			return error_set(err, ECHILD, "the container '%s' %s", o->container, d->because);
	}
}

int follow(const struct options *o, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_unit_ struct unit *unit = NULL;
	_cleanup_close_ int lock_fd = -1;
	char path[PATH_MAX], named[LOCK_NAME_MAX];
	struct eyes eyes;

	if (engine_open(o->backend, o->scope, o->engine_socket, &engine, err) < 0 ||
	    runtime_file(o->scope, lock_name(o->backend, engine->socket, o->container, named), path, err) < 0 ||
	    (o->unit && unit_open(o->scope, o->unit, &unit, err) < 0))
		return -1;
	lock_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	eyes = (struct eyes){.engine = engine, .unit = unit, .lock_fd = lock_fd, .began = now_usec()};
	if (unit)
		unit_runs(unit, o->container);
	return watch(o, &eyes, err);
}
