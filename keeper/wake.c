#include "keeper/wake.h"

#include <signal.h>

#include "common/extremes.h"
#include "keeper/overdue.h"
#include "keeper/say.h"
#include "keeper/tasks.h"
#include "keeper/waker.h"

/* Waits until the container runs. An activator that is told to stop goes on until the engine has answered its start:
 * that container must then be put to sleep. The next stage kills an activator that hangs. */
static void await(struct keeper *k)
{
	uint64_t end = time_after(k->limit, KEEPER_GRACE), patience = USEC_INFINITY;
	struct error why;
	bool told = false;

	while (!k->woken && k->waker.pid && (told || !time_is_over(end))) {
		uint64_t until = k->overdue || told ? time_from_now(KEEPER_PERIOD) : end;

		keeper_wait(k, told ? until : least_of(until, end), true);
		if (k->told_to_stop && !told) {
			(void)keeper_told_to_stop(k, &why);
			keeper_refuse(k, why.text);
			child_signal(&k->waker, SIGTERM);
			patience = time_from_now(KEEPER_PATIENCE);
			told = true;
		}
		if (time_is_over(patience))
			child_signal(&k->waker, SIGKILL);
		if (told)
			keeper_extend(k);
		overdue_go_on(k);
	}
}

/* The activator, too, tells who has woken the container. */
static void note_client(struct keeper *k)
{
	struct stats *s = &k->record.own;

	if (s->woken_by != STATS_BY_CLIENT)
		return;
	waker_find(&k->queue, s);
	record_share_client(&k->record);
	record_write(&k->record);
}

int wake_stage(struct keeper *k, struct error *err)
{
	struct inheritance i = {};

	overdue_begin(k);
	inherit_deadline(&i, k->limit);
	if (task_wake(k, &i, err) < 0)
		return -1;
	note_client(k); /* while the activator loads */
	await(k);
	if (k->told_to_stop)
		return keeper_told_to_stop(k, err);
	if (k->woken)
		return 0;
	if (time_is_over(k->limit)) /* what the activator says now follows from that */
		return overdue_give_up(k, err);
	return error_set(err, 0, "%s", keeper_explain(k, &k->waker));
}
