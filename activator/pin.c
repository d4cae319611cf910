/* Nothing here is atomic: between the engine's answer and our next step the container may end, restart or be paused,
 * and its PID may be reused. So:
 *
 *	start (or unpause)	it runs, or ran
 *	inspect			PID and start time
 *	pidfd_open(PID)		some process of this PID
 *	look at it in /proc	it is a process of this container, and not of another machine's (backends/process.h)
 *	inspect			same PID and start time: the container has run all the while, so PID was its own; and the
 *				process of the pidfd has not ended, so it is the one that was examined
 *
 * Anything else starts over, at most once every RETRY, until the deadline. A container that has ended by itself is
 * not started again here, only by its restart policy or by whoever restarts it: a new start would hide its failure.
 */
#include "activator/pin.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "activator/situation.h"
#include "activator/stray.h"
#include "activator/tell.h"
#include "activator/unit.h"
#include "backends/process.h"
#include "backends/reach.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"
#include "units/log_command.h"

#define RETRY	      (50 * USEC_PER_MSEC)
#define ABSENCE_LIMIT USEC_PER_SEC
#define ANOTHER_LIMIT USEC_PER_SEC

/* Somebody else's run must not be taken for our own if this process dies in the middle. */
static bool is_foreign(struct engine *e, const struct options *o)
{
	_cleanup_container_ struct container c = {};
	struct error ignored;

	return (o->keep_running || o->by_label) && e->backend->inspect(e, o->container, &c, &ignored) == 0 &&
	       c.state == CONTAINER_RUNNING;
}

/* Is it certain that the engine did nothing? It said so, or the request did not reach it. */
static bool was_in_vain(const struct error *err)
{
	return err->code != ETIMEDOUT && err->code != EPROTO && err->code != ECONNRESET;
}

static int try_start(struct engine *e, const struct options *o, int lock_fd, bool *woken, struct error *err)
{
	enum start_result result = START_ALREADY_RUNNING;
	bool foreign = is_foreign(e, o);
	char before[RUN_TEXT_MAX];
	int r;

	lock_read(lock_fd, before);
	if (!foreign)
		lock_record(lock_fd, RUN_STARTING);
	tell_starting(e, o->container);
	r = e->backend->start(e, o->container, &result, err);
	FAULT("wake:answered");
	tell_started(e, o->startup_timeout, r < 0 && was_in_vain(err));
	if (!foreign && r == 0 && result == START_STARTED)
		lock_record(lock_fd, RUN_STARTED);
	if (!foreign && (r < 0 ? was_in_vain(err) : result == START_ALREADY_RUNNING && !*woken))
		lock_record(lock_fd, before);
	*woken = *woken || (r == 0 && result == START_STARTED);
	return r;
}

static int try_unpause(struct engine *e, const struct options *o, bool *woken, struct error *err)
{
	int r;

	tell_starting(e, o->container);
	r = e->backend->unpause(e, o->container, err);
	tell_started(e, o->startup_timeout, r < 0 && was_in_vain(err));
	*woken |= r == 0;
	return r;
}

/* Sends the likelier request first, so that one is nearly always enough. EBUSY if neither fits the container's state;
 * the error is then that of the start. */
int pin_start(struct engine *e, const struct options *o, int lock_fd, bool *woken, struct error *err)
{
	struct error unpause_err;

	if (o->idle_pause) {
		if (try_unpause(e, o, woken, err) == 0)
			return 0;
		return error_forgive(err, EBUSY) ? try_start(e, o, lock_fd, woken, err) : -1;
	}
	if (try_start(e, o, lock_fd, woken, err) == 0)
		return 0;
	if (err->code != EBUSY)
		return -1;
	if (try_unpause(e, o, woken, &unpause_err) == 0)
		return error_clear(err);
	if (unpause_err.code != EBUSY)
		*err = unpause_err;
	return -1;
}

/* Readable once the process has ended, reaped or not (pidfd_open(2)). */
static bool has_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* Does it belong to the container, and may we enter it? */
static int check_process(const struct options *o, const struct container *c, struct error *err)
{
	return process_check(c, "/proc", err) < 0 ? -1 : reach_check(c, o->health_check, err);
}

int pin_inspected(struct engine *e, const struct options *o, const struct container *c, int *ret_pidfd,
		  struct error *err)
{
	_cleanup_container_ struct container again = {};
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	struct error refusal;
	int refused;

	if (pidfd < 0) {
		if (errno == ESRCH)
			return 0;
		return error_errno(err, errno, "cannot refer to process %d of the container '%s'", c->pid,
				   o->container);
	}
	FAULT("pin:opened");
	refused = check_process(o, c, &refusal);
	if (e->backend->inspect(e, o->container, &again, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	if (again.state != CONTAINER_RUNNING || again.pid != c->pid || strcmp(again.started_at, c->started_at) != 0)
		return 0;
	if (has_ended(pidfd)) /* which the engine learns later than the kernel */
		return 0;
	if (refused < 0) {
		*err = refusal;
		return -1;
	}
	log_debug("process %d is the first one of the container '%s': has its pidfd", c->pid, o->container);
	*ret_pidfd = steal_fd(&pidfd);
	return 1;
}

/* The process does not exist here: either the engine has not noticed its end yet, which takes moments, or it uses
 * another PID namespace. *since: 0, or since when this is so. */
static int check_presence(const struct container *c, uint64_t *since, struct error *err)
{
	if (kill(c->pid, 0) == 0 || errno != ESRCH) {
		*since = 0;
		return 0;
	}
	if (*since == 0)
		*since = now_usec();
	return time_is_over(time_after(*since, ABSENCE_LIMIT)) ? process_check(c, "/proc", err) : 0;
}

static int ended(const struct options *o, const struct container *c, struct error *err)
{
	char log[LOG_COMMAND_MAX];

	return error_set(err, ECHILD, ENDED_EARLY, c->name, c->exit_code,
			 log_command(o->scope, o->unit, o->backend, c->name, log));
}

/* *since: 0, or since when it has been seen ended. */
static bool is_waited_for(const struct container *c, uint64_t *since)
{
	if (*since == 0)
		*since = now_usec();
	return container_may_come_back(c) && !time_is_over(time_after(*since, RESTART_USEC));
}

/* Is it not the container that was started? Or was the start refused, because the old container was being removed,
 * say? Then the new one is started next, unless this goes on. *since: 0, or since when this is so. */
static bool is_another(const struct container *c, int started, uint64_t *since)
{
	if (started == 0 ? c->state != CONTAINER_CREATED : c->state == CONTAINER_DEAD)
		return false;
	if (*since == 0)
		*since = now_usec();
	return !time_is_over(time_after(*since, ANOTHER_LIMIT));
}

/* The next step for a container that was just inspected. */
enum next { NEXT_PIN, NEXT_WAIT, NEXT_FAIL };

static enum next judge(const struct options *o, const struct container *c, int lock_fd)
{
	struct situation s = situation_of_container(o, EVENT_CONNECT, c, lock_fd);

	switch (decide(&s)->action) {
	case ACTION_SERVE:
		return c->pid > 1 ? NEXT_PIN : NEXT_WAIT;
	case ACTION_WAIT:
		return NEXT_WAIT;
	default: /* somebody has paused it, or it was started and has ended */
		return c->state == CONTAINER_PAUSED ? NEXT_WAIT : NEXT_FAIL;
	}
}

/* Are we between `rm` and `run`, after a served container has ended? Then waits a moment. */
static bool await_replacement(const struct options *o, uint64_t began, const struct error *err)
{
	return container_is_in_between(err) && time_pause(RETRY, time_after(began, o->recent));
}

static int late(const struct options *o, enum container_state state, struct error *err)
{
	return error_set(err, ETIMEDOUT, "the container '%s' did not come to run in time (it is %s)", o->container,
			 container_state_name(state));
}

bool pin_ran_out(const struct engine *e, uint64_t asked, const struct error *err)
{
	return err->code == ETIMEDOUT && asked + USEC_PER_SEC > e->deadline;
}

static int find(struct engine *e, const struct options *o, struct container_lock *lock, const char *directory,
		bool again, struct container *ret, struct error *err)
{
	enum container_state before = ret->state;
	uint64_t asked = now_usec();

	if (e->backend->inspect(e, o->container, ret, err) < 0)
		return again && pin_ran_out(e, asked, err) ? late(o, before, err) : -1;
	return container_lock_found_shared(lock, directory, ret->id, e->deadline, err) < 0 ? -1 : 0;
}

/* Starts it as pin_start(), and says when it first did. */
static int start(struct engine *e, const struct options *o, int lock_fd, bool *woken, struct start_span *span,
		 struct error *err)
{
	bool before = *woken;
	int64_t from = (int64_t)wall_usec();
	int r = pin_start(e, o, lock_fd, woken, err);

	if (r == 0 && *woken && !before && span->to == 0)
		*span = (struct start_span){from, (int64_t)wall_usec()};
	return r;
}

/* known: the container that had the name last, by the lock or as it was found since; "" for none. found: NULL: nobody has it. */
static void see_stray(const struct options *o, const struct container *found, char *known,
		      const struct start_span *span)
{
	if (known[0] && !(found && strcmp(found->id, known) == 0))
		stray_note(o, known, span);
	strcpy(known, found ? found->id : "");
}

/* Has the container that was started another name by now? Whoever has renamed it makes a new one of its name next: waits a moment. *since: 0,
 * or since when this is so. */
static bool lost_its_name(struct engine *e, const char *id, const struct error *err, uint64_t *since)
{
	_cleanup_container_ struct container c = {};
	struct error ignored;

	if (!id[0] || err->code != ENOENT)
		return false;
	if (*since == 0 && e->backend->inspect(e, id, &c, &ignored) < 0)
		return false;
	if (*since == 0)
		*since = now_usec();
	return time_pause(RETRY, time_after(*since, ANOTHER_LIMIT));
}

int pin_container(struct engine *e, const struct options *o, struct stats *stats, struct container_lock *lock,
		  const char *directory, struct container *ret, int *ret_pidfd, bool *ret_woken, struct error *err)
{
	uint64_t began = now_usec(), absent_since = 0, ended_since = 0, another_since = 0, nameless_since = 0;
	bool found = false;
	struct told told = {};
	struct start_span span = {};
	char known[sizeof(lock->id)], started_id[sizeof(ret->id)] = "";

	*ret_woken = false;
	strcpy(known, lock->id);
	for (;;) {
		struct error start_err;
		/* A container that has ended by itself is not started again: that would hide its failure. */
		bool again = !*ret_woken || ret->state == CONTAINER_PAUSED;
		int r = 0, started = again ? start(e, o, lock->named, ret_woken, &span, &start_err) : 0;

		if (started < 0 && (await_replacement(o, began, &start_err) ||
				    lost_its_name(e, started_id, &start_err, &nameless_since)))
			continue;
		if (started < 0 && start_err.code != EBUSY) {
			*err = start_err;
			return -1;
		}
		stats->t_started = now_usec();
		if (find(e, o, lock, directory, found, ret, err) < 0) {
			if (err->code == ENOENT)
				see_stray(o, NULL, known, &span);
			if (!await_replacement(o, began, err) && !lost_its_name(e, started_id, err, &nameless_since))
				return -1;
			error_clear(err);
			*ret_woken = false; /* the started container is gone */
			continue;
		}
		found = true;
		nameless_since = 0;
		if (span.to)
			strcpy(started_id, ret->id);
		see_stray(o, ret, known, &span);
		switch (judge(o, ret, lock->named)) {
		case NEXT_PIN:
			ended_since = 0;
			r = pin_inspected(e, o, ret, ret_pidfd, err);
			if (r == 0)
				r = check_presence(ret, &absent_since, err);
			break;
		case NEXT_FAIL:
			if (is_another(ret, started, &another_since)) {
				*ret_woken = false;
				break;
			}
			if (started == 0 && is_waited_for(ret, &ended_since))
				break;
			if (started == 0)
				return ended(o, ret, err);
			*err = start_err;
			return -1;
		case NEXT_WAIT:
			break;
		}
		if (r != 0) {
			stats->t_inspected = now_usec();
			return r < 0 ? -1 : 0;
		}
		tell_awaited(&told, NULL, "the container '%s' is %s", o->container, container_state_name(ret->state));
		/* After the deadline a request would fail, and the engine would be blamed. */
		if (!time_pause_within(RETRY, e->deadline))
			return late(o, ret->state, err);
	}
}
