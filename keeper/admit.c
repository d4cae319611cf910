#include "keeper/admit.h"

#include "handover/listen.h"

bool keeper_is_wanted(struct keeper *k)
{
	const struct keeper_options *o = &k->options;

	return queue_waits(&k->queue) &&
	       (o->n_no_wake_from == 0 || queue_admit(&k->queue, o->no_wake_from, o->n_no_wake_from));
}

bool admit_stage(struct keeper *k)
{
	const struct keeper_options *o = &k->options;
	uint64_t until = time_after(k->began, KEEPER_SHORTEST_LIFE);
	bool refused = false, told = k->record.own.flags & STATS_AWAKE; /* the container is awake, whoever connects */

	if (o->n_no_wake_from == 0)
		return true;
	while (!queue_admit(&k->queue, o->no_wake_from, o->n_no_wake_from)) {
		if (k->told_to_stop || time_is_over(until))
			return false;
		if (!told)
			notify_send(k->notify_fd, "STATUS=" STATUS_NOBODY " so far.");
		told = refused = true;
		/* Not the backlogs: a client that reconnects after each reset would make this loop spin. */
		keeper_wait(k, time_from_now(KEEPER_ADMIT_PERIOD), false);
	}
	if (refused)
		notify_send(k->notify_fd, "STATUS=");
	return true;
}
