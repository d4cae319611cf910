#include <signal.h>

#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/exit.h"
#include "common/log.h"
#include "keeper/stages.h"
#include "keeper/tasks.h"

#define PAUSE_FIRST (250 * USEC_PER_MSEC)
#define PAUSE_MAX   (2 * USEC_PER_SEC)

/* An engine that is restarted is waited for, one that is gone is not. */
#define PATIENCE_ABSENT (5 * USEC_PER_SEC)

static void release_locks(struct keeper *k)
{
	while (k->n_locks > 0)
		close_fd(&k->locks[--k->n_locks]);
}

/* Once the container runs, all is told. Its copies of the locks must be gone, or the container seems to be in use. */
static void end_waker(struct keeper *k)
{
	child_signal(&k->waker, SIGKILL);
	while (k->waker.pid)
		keeper_wait(k, time_after(now_usec(), USEC_PER_SEC), true);
}

/* One try; 0 when the container sleeps, or goes on with good reason. */
static int try_sleep(struct keeper *k, struct error *err)
{
	if (task_sleep(k, err) < 0)
		return -1;
	while (k->sleeper.pid) {
		keeper_wait(k, time_after(now_usec(), USEC_PER_SEC), true);
		keeper_extend(k);
	}
	if (k->sleeper.status == 0)
		return 0;
	return error_set(err, 0, "%s", keeper_explain(k, &k->sleeper));
}

static bool engine_is_absent(const struct keeper *k)
{
	return WIFEXITED(k->sleeper.status) && WEXITSTATUS(k->sleeper.status) == EXIT_UNAVAILABLE;
}

int stage_sleep(struct keeper *k)
{
	uint64_t pause = PAUSE_FIRST, told_at = k->told_to_stop ? now_usec() : 0;
	struct error err;

	end_waker(k);
	release_locks(k);
	while (try_sleep(k, &err) < 0) {
		uint64_t until = time_after(now_usec(), pause);

		keeper_say(k, LOG_WARNING, err.text);
		if (k->told_to_stop && told_at == 0)
			told_at = now_usec();
		if (told_at &&
		    time_is_over(time_after(told_at, engine_is_absent(k) ? PATIENCE_ABSENT : KEEPER_PATIENCE))) {
			log_line(LOG_ERR, "the container may still run: 'sockwake sleep %s' tries again",
				 k->options.name);
			return -1;
		}
		while (!time_is_over(until)) {
			keeper_wait(k, until, true);
			keeper_extend(k);
		}
		pause = pause * 2 < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
	}
	return 0;
}
