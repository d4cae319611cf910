#include <signal.h>
#include <stdio.h>

#include "keeper/stages.h"
#include "keeper/tasks.h"

/* Whoever comes after this was over gets a time of their own. */
static void refuse_late(struct keeper *k)
{
	char sentence[SENTENCE_MAX];

	snprintf(sentence, sizeof(sentence), "%s",
		 k->late[0] ? k->late : "the container was not started within --startup-timeout");
	keeper_refuse(k, sentence);
}

/* Until the container runs. An activator that is told to stop goes on while the engine has not answered its start: what
 * comes up then must be put to sleep. */
int stage_wake(struct keeper *k, struct error *err)
{
	uint64_t deadline = time_after(k->began, k->options.startup_timeout),
		 limit = time_after(deadline, KEEPER_GRACE);
	struct inheritance i = {};
	bool late = false, told = false;

	if (deadline != USEC_INFINITY)
		inherit_number(&i, "SOCKWAKE_DEADLINE", deadline);
	if (task_wake(k, &i, err) < 0)
		return -1;
	while (!k->woken && k->waker.pid) {
		keeper_wait(k, late ? time_after(now_usec(), USEC_PER_SEC) : limit, true);
		if (k->told_to_stop && !told) {
			keeper_refuse(k, KEEPER_TOLD_TO_STOP);
			child_signal(&k->waker, SIGTERM);
			told = true;
		}
		if (!k->woken && k->waker.pid && !late && time_is_over(limit)) {
			refuse_late(k);
			late = true;
		}
		if (late || told)
			keeper_extend(k);
	}
	if (!k->woken)
		return error_set(err, 0, "%s", keeper_explain(k, &k->waker));
	if (k->told_to_stop)
		return error_set(err, 0, KEEPER_TOLD_TO_STOP);
	if (late && !queue_waits(&k->queue))
		return error_set(err, 0, "%s",
				 k->late[0] ? k->late : "the container was not started within --startup-timeout");
	return 0;
}
