#include <signal.h>

#include "keeper/stages.h"
#include "keeper/tasks.h"

static const char *why_late(const struct keeper *k)
{
	return k->late[0] ? k->late : "the container was not started within --startup-timeout";
}

/* Until the container runs. An activator that is told to stop goes on while the engine has not answered its start: what
 * comes up then must be put to sleep. Whoever comes after the time-out gets a time of their own. */
static void await(struct keeper *k, uint64_t limit, bool *ret_late)
{
	bool told = false;
	uint64_t patience = USEC_INFINITY;

	*ret_late = false;
	while (!k->woken && k->waker.pid) {
		keeper_wait(k, *ret_late || told ? time_after(now_usec(), KEEPER_PERIOD) : limit, true);
		if (k->told_to_stop && !told) {
			keeper_refuse(k, KEEPER_TOLD_TO_STOP);
			child_signal(&k->waker, SIGTERM);
			patience = time_after(now_usec(), KEEPER_PATIENCE);
			told = true;
		}
		if (time_is_over(patience))
			child_signal(&k->waker, SIGKILL);
		if (!k->woken && k->waker.pid && !*ret_late && time_is_over(limit)) {
			keeper_refuse(k, why_late(k));
			*ret_late = true;
		}
		if (*ret_late || told)
			keeper_extend(k);
	}
}

int stage_wake(struct keeper *k, struct error *err)
{
	uint64_t deadline = time_after(k->began, k->options.startup_timeout);
	struct inheritance i = {};
	bool late;

	if (deadline != USEC_INFINITY)
		inherit_number(&i, "SOCKWAKE_DEADLINE", deadline);
	if (task_wake(k, &i, err) < 0)
		return -1;
	await(k, time_after(deadline, KEEPER_GRACE), &late);
	if (k->told_to_stop)
		return error_set(err, 0, KEEPER_TOLD_TO_STOP);
	if (late &&
	    (!k->woken || !queue_waits(&k->queue))) /* said already; what the activator says now is its consequence */
		return error_set(err, 0, "%s", why_late(k));
	return k->woken ? 0 : error_set(err, 0, "%s", keeper_explain(k, &k->waker));
}
