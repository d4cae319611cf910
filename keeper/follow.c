/* A container that ends while its instance is awake may come back: a person restarts it, an updater replaces it, its
 * restart policy starts it again. Then the instance goes on with the new run. Only the activator can see that.
 * Meanwhile the keeper watches the queue: if the container had been ready, a new client wakes it at once.
 */
#include "keeper/follow.h"

#include <signal.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "handover/channel.h"
#include "handover/listen.h"
#include "keeper/admit.h"
#include "keeper/tasks.h"

/* A container that ends this often within this time will go on doing so: systemd then decides what happens next. */
#define RUNS_MAX    5
#define RUNS_PERIOD (10 * USEC_PER_SEC)

static bool ends_too_often(struct keeper *k)
{
	if (time_is_over(time_after(k->followed_since, RUNS_PERIOD)) && k->ready) {
		k->followed_since = now_usec();
		k->followed = 0;
	}
	return ++k->followed > RUNS_MAX;
}

/* Is it worth waiting any longer? If the container had been ready, until a client connects; else until the limit. */
static bool goes_on(struct keeper *k, bool was_ready)
{
	return !k->told_to_stop && k->sleeper.pid &&
	       (was_ready ? !keeper_is_wanted(k) : !time_is_over(time_after(k->began, k->options.start_limit)));
}

/* While it starts, the status text tells how the run ended, once the activator has seen that. */
static void show_end(const struct keeper *k, bool was_ready)
{
	if (was_ready)
		notify_send(k->notify_fd, "STATUS=the container has ended; it may be restarted");
	else
		notify_send(k->notify_fd, "STATUS=" STATUS_WAITS "%.500s; it may be restarted",
			    k->in_case[0] ? k->in_case : "the container has ended");
}

static void await_next_run(struct keeper *k, bool was_ready)
{
	char shown[SENTENCE_MAX];

	strcpy(shown, k->in_case);
	show_end(k, was_ready);
	while (goes_on(k, was_ready)) {
		keeper_wait(k, time_from_now(USEC_PER_SEC), true);
		if (strcmp(shown, k->in_case) != 0)
			show_end(k, was_ready);
		strcpy(shown, k->in_case);
	}
}

static void forget_run(struct keeper *k)
{
	strcpy(k->last_end, k->ready ? "" : k->in_case);
	keeper_release_run(k);
	close_fd(&k->pidfd);
	k->woken = k->ended = k->ended_early = k->ready = k->stopping = false;
	k->awaited[0] = k->hint[0] = k->in_case[0] = k->failed[0] = '\0';
}

bool follow_stage(struct keeper *k)
{
	bool was_ready = k->ready, again;
	struct error err;

	if (!keeper_container_is_ending(k) || k->told_to_stop)
		return false;
	if (ends_too_often(k)) { /* nobody finds out how this run ended */
		if (k->last_end[0])
			strcpy(k->in_case, k->last_end);
		return false;
	}
	if (task_follow(k, &err) < 0)
		return false;
	log_debug("looks whether the container is restarted");
	await_next_run(k, was_ready);
	again = (k->sleeper.pid == 0 && k->sleeper.status == 0) || (was_ready && keeper_is_wanted(k));
	child_signal(&k->sleeper, SIGKILL);
	while (k->sleeper.pid)
		keeper_wait(k, time_from_now(USEC_PER_SEC), true);
	if (!again || k->told_to_stop)
		return false;
	forget_run(k);
	if (was_ready)
		k->began = now_usec();
	return true;
}
