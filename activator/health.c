#include "activator/health.h"

#include <errno.h>
#include <poll.h>

#include "activator/pin.h"
#include "activator/tell.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "common/log.h"
#include "units/log_command.h"

#define PAUSE_MAX (5 * USEC_PER_SEC)

/* A request reaches the engine a little later. */
#define MARGIN USEC_PER_SEC

#define NOTICE_MSEC 1000

bool health_failure_counts(const struct container *c, uint64_t wall_now)
{
	return c->health_acts && wall_now + MARGIN >= (uint64_t)c->started + c->health_start_period;
}

uint64_t health_pause(uint64_t waited, bool costly)
{
	uint64_t least = (costly ? 500 : 200) * USEC_PER_MSEC, pause = waited / (costly ? 4 : 16);

	return least_of(most_of(pause, least), PAUSE_MAX);
}

/* The result of the engine's own checks. */
static int read_health(struct engine *e, const struct container *c, enum health *ret, struct error *err)
{
	_cleanup_container_ struct container now = {};

	if (e->backend->inspect(e, c->id, &now, err) < 0)
		return -1;
	*ret = now.health;
	return 0;
}

int health_ask(struct engine *e, const struct container *c, enum health *ret, struct error *err)
{
	*ret = HEALTH_NONE;
	if (!health_failure_counts(c, wall_usec()))
		return e->backend->check_health(e, c, ret, err);
	if (e->backend->try_health(e, c, ret, err) < 0)
		return error_forgive(err, EINVAL) ? read_health(e, c, ret, err) : -1;
	return *ret == HEALTH_HEALTHY ? e->backend->check_health(e, c, ret, err) : 0;
}

/* The engine may fail because the container is ending, which the kernel reports a moment later. */
static bool ends(int pidfd)
{
	struct pollfd gone = {.fd = pidfd, .events = POLLIN};

	return poll(&gone, 1, NOTICE_MSEC) > 0;
}

static int has_ended(const struct options *o, const struct container *c, struct error *err)
{
	char log[LOG_COMMAND_MAX];

	return error_set(err, ECHILD, "the container '%s' ended before it was ready: '%s' may say why", c->name,
			 log_command(o->scope, o->unit, o->backend, c->name, log));
}

static int late(const struct container *c, struct error *err)
{
	return error_set(err, ETIMEDOUT, "the container '%s' was not healthy in time", c->name);
}

int health_await(struct engine *e, const struct options *o, const struct container *c, int pidfd, struct error *err)
{
	uint64_t began = now_usec();
	struct told told = {};

	if (!c->health_test)
		return error_set(err, EINVAL,
				 "the container '%s' has no health check: give it one, or let --health-check be "
				 "'listen'",
				 c->name);
	tell_awaited(&told, NULL, "the health check of '%s' has not succeeded", c->name);
	for (bool again = false;; again = true) {
		struct pollfd gone = {.fd = pidfd, .events = POLLIN};
		enum health health = HEALTH_NONE;
		uint64_t asked = now_usec(), pause;

		if (health_ask(e, c, &health, err) < 0 && !error_forgive(err, EBUSY)) {
			if (again && pin_ran_out(e, asked, err))
				return late(c, err);
			return err->code == EREMOTEIO && ends(pidfd) ? has_ended(o, c, err) : -1;
		}
		if (health == HEALTH_HEALTHY) {
			log_debug("the health check of '%s' has succeeded", c->name);
			return 0;
		}
		if (timeout_msec(e->deadline) == 0)
			return late(c, err);
		pause = time_from_now(health_pause(time_since(began), health_failure_counts(c, wall_usec())));
		if (poll(&gone, 1, timeout_msec(least_of(pause, e->deadline))) > 0)
			return has_ended(o, c, err);
	}
}
