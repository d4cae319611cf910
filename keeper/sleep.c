#include "keeper/sleep.h"

#include <signal.h>

#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/extremes.h"
#include "common/log.h"
#include "handover/exit.h"
#include "handover/listen.h"
#include "keeper/say.h"
#include "keeper/tasks.h"

#define PAUSE_FIRST (250 * USEC_PER_MSEC)
#define PAUSE_MAX   (2 * USEC_PER_SEC)

/* An engine that restarts is worth waiting for, one that is gone is not. */
#define PATIENCE_ABSENT (5 * USEC_PER_SEC)

/* One attempt; 0 if the container sleeps, or stays up for a good reason. */
static int try_sleep(struct keeper *k, struct error *err)
{
	if (task_sleep(k, err) < 0)
		return -1;
	while (k->sleeper.pid) {
		keeper_wait(k, time_from_now(USEC_PER_SEC), true);
		keeper_extend(k);
	}
	if (k->sleeper.status == 0) {
		log_debug("the container sleeps, or has a reason to stay up");
		return 0;
	}
	return error_set(err, 0, "%s", keeper_explain(k, &k->sleeper));
}

static bool engine_is_absent(const struct keeper *k)
{
	return WIFEXITED(k->sleeper.status) && WEXITSTATUS(k->sleeper.status) == EXIT_UNAVAILABLE;
}

/* Without an engine to ask, the container's first process tells. That works only if there are no dependencies. */
static bool sleeps_for_sure(const struct keeper *k, size_t n_locks)
{
	return engine_is_absent(k) && keeper_container_has_ended(k) && n_locks <= CHANNEL_LOCKS;
}

/* began: when the first attempt began. */
static bool is_given_up(const struct keeper *k, uint64_t began)
{
	uint64_t since = most_of(k->told_to_stop, began);

	if (!k->told_to_stop ||
	    !time_is_over(time_after(since, engine_is_absent(k) ? PATIENCE_ABSENT : KEEPER_PATIENCE)))
		return false;
	log_line(LOG_ERR, STATUS_STAYS "'sockwake sleep %s' tries again", k->options.name);
	notify_send(k->notify_fd, "STATUS=" STATUS_STAYS "'sockwake sleep %s' tries again", k->options.name);
	return true;
}

static void rest(struct keeper *k, uint64_t until)
{
	while (!time_is_over(until)) {
		keeper_wait(k, until, true);
		keeper_extend(k);
	}
}

int sleep_stage(struct keeper *k)
{
	uint64_t pause = PAUSE_FIRST, began = now_usec();
	size_t n_locks = k->n_locks;
	struct error err;

	keeper_release_run(k);
	log_debug("has let go of %zu locks", n_locks);
	while (try_sleep(k, &err) < 0) {
		keeper_say(k, LOG_WARNING, err.text);
		notify_send(k->notify_fd, "STATUS=" STATUS_NOT_ASLEEP "%s", err.text);
		if (sleeps_for_sure(k, n_locks))
			return 0;
		if (is_given_up(k, began))
			return -1;
		rest(k, time_from_now(pause));
		pause = least_of(pause * 2, PAUSE_MAX);
	}
	return 0;
}
