#include "activator/start_job.h"

#include <errno.h>
#include <string.h>

#include "activator/blame.h"
#include "activator/halt.h"
#include "activator/health.h"
#include "activator/name_check.h"
#include "activator/tell.h"
#include "activator/unit_container.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "lifecycle/lock.h"

/* How often to check a start job that goes on. */
#define GLANCE	     USEC_PER_SEC
#define GLANCE_LIMIT (2 * USEC_PER_SEC)
#define HEALTH_LIMIT (60 * USEC_PER_SEC)

#define NOT_STARTED "the unit '%s' has not started"

/* A start job that goes on. */
struct look {
	struct engine *engine;
	const struct options *options;
	const struct container_lock *lock;
	struct claims *claims;
	uint64_t began;
	struct told told;
	struct error taken; /* somebody else's container has got the name meanwhile */
};

/* Units that are known to take long, with a hint that helps. */
static const char *hint_about(const char *unit)
{
	static const struct {
		const char *unit, *hint;
	} hints[] = {
		{"podman-user-wait-network-online.service",
		 "it takes up to 90s where nothing brings network-online.target up: 'DefaultDependencies=false' under "
		 "[Quadlet] in the .container file does without, where the container needs no network to start"},
		{"network-online.target",
		 "'DefaultDependencies=false' under [Quadlet] in the .container file does without, where the container "
		 "needs no network to start"},
	};

	for (size_t k = 0; k < sizeof(hints) / sizeof(*hints); k++) {
		if (strcmp(hints[k].unit, unit) == 0)
			return hints[k].hint;
	}
	return NULL;
}

static void limit_engine(struct engine *e, uint64_t deadline, uint64_t limit)
{
	e->deadline = least_of(deadline, time_from_now(limit));
}

static uint64_t ask_health(struct unit *u, struct look *l)
{
	_cleanup_container_ struct container c = {};
	struct engine *e = l->engine;
	uint64_t deadline = e->deadline;
	enum health ignored;
	struct error err;
	int r;

	limit_engine(e, deadline, GLANCE_LIMIT);
	r = unit_container_inspect(u, e, l->options, &c, &err);
	limit_engine(e, deadline, HEALTH_LIMIT);
	if (r == 0 && c.state == CONTAINER_RUNNING && c.health_test) {
		tell_awaited(&l->told, NULL,
			     "the health check of '%s' has not succeeded, which the unit '%s' waits for", c.name,
			     l->options->unit);
		if (c.health != HEALTH_HEALTHY)
			(void)health_ask(e, &c, &ignored, &err);
	} else {
		tell_awaited(&l->told, NULL, NOT_STARTED, l->options->unit);
	}
	e->deadline = deadline;
	return health_pause(time_since(l->began), health_failure_counts(&c, wall_usec()));
}

/* Before the units' processes run, somebody else may make a container with one of their names. */
static uint64_t look_before(struct unit *u, struct look *l)
{
	const char *unit = NULL;
	uint64_t pause = name_check_again(u, l->engine, l->options, l->claims, l->lock, &unit, &l->taken);

	if (!l->taken.code)
		return pause;
	if (strcmp(unit, l->options->unit) != 0)
		unit_give_up(u, unit);
	unit_give_up(u, l->options->unit);
	return USEC_INFINITY;
}

static uint64_t look(struct unit *u, void *data)
{
	char other[UNIT_NAME_TEXT_MAX];
	struct look *l = data;
	uint64_t pause = l->taken.code ? USEC_INFINITY : look_before(u, l);

	if (unit_waits_for(u, other)) {
		tell_awaited(&l->told, hint_about(other), "the unit '%s' waits for the start of '%s'", l->options->unit,
			     other);
		return least_of(pause, GLANCE);
	}
	if (l->engine->backend->units_await_health && pause == USEC_INFINITY)
		return ask_health(u, l);
	tell_awaited(&l->told, NULL, NOT_STARTED, l->options->unit);
	return least_of(pause, GLANCE);
}

int start_job(struct unit *u, const struct unit_view *before, struct engine *e, const struct options *o,
	      const struct needs *needs, const struct container_lock *lock, struct error *err)
{
	_cleanup_claims_ struct claims claims = {};
	struct look l = {.engine = e, .options = o, .lock = lock, .claims = &claims, .began = now_usec()};
	int r;

	if (claims_find(u, o, needs, &claims, err) < 0 || name_check(u, e, o, &claims, lock, err) < 0)
		return -1;
	lock_record(lock->named, RUN_STARTING);
	tell_starting_unit(o->unit);
	r = unit_start(u, before, e->deadline, &(struct meanwhile){look, &l}, err);
	if (r < 0 && l.taken.code) {
		*err = l.taken;
		return -1;
	}
	return r < 0 && unit_lacks_dependency(u) ? blame_needed(u, o, err) : r;
}
