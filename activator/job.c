#include "activator/job.h"

#include <errno.h>
#include <string.h>

#include "activator/pin.h"
#include "activator/runtime.h"
#include "activator/situation.h"
#include "activator/start_job.h"
#include "activator/tell.h"
#include "activator/unit.h"
#include "activator/unit_container.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "lifecycle/lock.h"
#include "units/log_command.h"

/* Between two looks at a job: the longer it runs, the longer. */
#define PAUSE_LEAST (20 * USEC_PER_MSEC)
#define PAUSE_MOST  USEC_PER_SEC

/* How long a start that another wake has asked for may take to be seen. */
#define OTHERS_MOST (5 * USEC_PER_SEC)

struct job {
	struct engine *engine;
	const struct options *own, *view;
	uint64_t began;
	struct told told;
};

static bool is_up(const struct container *c)
{
	return c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED;
}

/* Is the instance's own container up? *ret_started: since when, in CLOCK_REALTIME microseconds. */
static bool own_is_up(const struct job *j, int64_t *ret_started)
{
	_cleanup_container_ struct container own = {};
	struct error ignored;

	if (unit_container_inspect(NULL, j->engine, j->own, &own, &ignored) < 0)
		return false;
	*ret_started = own.started;
	return is_up(&own);
}

static int failed(const struct job *j, int status, struct error *err)
{
	char log[LOG_COMMAND_MAX];

	return error_set(err, ECHILD, "the job ended with status %d: '%s' may say why", status,
			 log_command(j->view->scope, NULL, j->view->backend, j->view->container, log));
}

/* Waits a moment. Fails at the deadline. */
static int pause_a_little(struct job *j, struct error *err)
{
	uint64_t pause = least_of(most_of(time_since(j->began) / 8, PAUSE_LEAST), PAUSE_MOST);
	char log[LOG_COMMAND_MAX];

	tell_awaited(&j->told, NULL, "the job '%s', which comes before '%s', has not ended", j->view->container,
		     j->own->container);
	if (time_pause_within(pause, j->engine->deadline))
		return 0;
	return error_set(err, ETIMEDOUT, "the job did not end in time, and runs on: '%s' shows what it does",
			 log_command(j->view->scope, j->view->unit, j->view->backend, j->view->container, log));
}

/* Did it end with success, and does that still count? */
static bool is_done(const struct job *j, const struct container *c, int lock_fd)
{
	int64_t started;

	if (c->state != CONTAINER_EXITED || !c->started || c->exit_code != 0)
		return false;
	if (lock_is_own_run(lock_fd, c) || lock_is_found_run(lock_fd, c))
		return true;
	return own_is_up(j, &started) && started >= c->started;
}

static int look(struct job *j, struct container_lock *lock, const char *directory, struct container *ret,
		struct error *err)
{
	if (j->engine->backend->inspect(j->engine, j->view->container, ret, err) < 0)
		return -1;
	return container_lock_found_shared(lock, directory, ret->id, j->engine->deadline, err) < 0 ? -1 : 0;
}

/* Its restart policy may repeat a failed job. */
static int await_end(struct job *j, struct container_up *h, const char *directory, struct error *err)
{
	uint64_t ended = 0; /* since when; 0: it has not */

	for (;;) {
		const struct container *c = &h->container;

		if (look(j, &h->lock, directory, &h->container, err) < 0)
			return -1;
		lock_record_run(h->lock.named, c, h->woken);
		if (c->state == CONTAINER_EXITED || c->state == CONTAINER_DEAD) {
			if (c->exit_code == 0)
				return 0;
			ended = ended ? ended : now_usec();
			if (!container_may_restart(c) || time_is_over(time_after(ended, RESTART_USEC)))
				return failed(j, c->exit_code, err);
		} else {
			ended = 0;
		}
		if (pause_a_little(j, err) < 0)
			return -1;
		/* another one has replaced it */
		if (c->state == CONTAINER_CREATED && pin_start(j->engine, j->view, h->lock.named, &h->woken, err) < 0)
			return -1;
	}
}

static bool runs(const struct container *c)
{
	return c->state == CONTAINER_RUNNING || c->state == CONTAINER_RESTARTING;
}

/* Another wake has asked for its start and not seen its run yet: a second start could run it twice. Or that wake was
 * killed: then this ends after a while. */
static int await_other_start(struct job *j, struct container_up *h, const char *directory, struct error *err)
{
	int fd = h->lock.named;

	while (!runs(&h->container) && (lock_holds(fd, RUN_STARTING) || lock_holds(fd, RUN_STARTED)) &&
	       !time_is_over(time_after(j->began, OTHERS_MOST))) {
		if (pause_a_little(j, err) < 0 || look(j, &h->lock, directory, &h->container, err) < 0)
			return -1;
	}
	return 0;
}

static int complete_container(struct job *j, const char *directory, struct container_up *h, struct error *err)
{
	if (look(j, &h->lock, directory, &h->container, err) < 0 || await_other_start(j, h, directory, err) < 0)
		return -1;
	if (is_done(j, &h->container, h->lock.named))
		return 0;
	if (!runs(&h->container) && pin_start(j->engine, j->view, h->lock.named, &h->woken, err) < 0)
		return -1;
	return await_end(j, h, directory, err);
}

static bool has_ended(const struct unit_view *v)
{
	return (strcmp(v->active, "inactive") == 0 || strcmp(v->active, "failed") == 0) && !unit_is_restarting(v);
}

/* A oneshot service with RemainAfterExit=yes stays active when its process has ended. */
static bool remains(const struct unit_view *v)
{
	return unit_is_active(v) && strcmp(v->sub, "exited") == 0;
}

/* The manager forgets a unit that has ended with success, and with it the invocation: then the lock alone knows. */
static bool unit_is_done(const struct job *j, const struct unit_view *v, int lock_fd)
{
	char recorded[RUN_TEXT_MAX];
	int64_t ignored;

	if (remains(v))
		return true;
	if (strcmp(v->active, "inactive") != 0)
		return false;
	lock_read(lock_fd, recorded);
	if (recorded[0] && strcmp(recorded, RUN_STARTING) != 0 &&
	    (!v->invocation[0] || strstr(recorded, v->invocation)))
		return true;
	return own_is_up(j, &ignored);
}

/* The start of a oneshot service lasts until its process has ended. */
static int complete_unit(struct job *j, struct container_up *h, struct error *err)
{
	_cleanup_unit_ struct unit *u = NULL;
	struct needs needs;
	struct unit_view v;

	if (unit_open(j->view->scope, j->view->unit, &u, err) < 0 || unit_look(u, &v, err) < 0)
		return -1;
	if (unit_is_done(j, &v, h->lock.named))
		return 0;
	if (!unit_is_active(&v)) {
		h->woken = true;
		unit_needs_find(u, j->view->unit, &needs);
		if (start_job(u, &v, j->engine, j->view, &needs, &h->lock, err) < 0)
			return -1;
	}
	for (;;) {
		if (unit_look(u, &v, err) < 0)
			return -1;
		unit_record(h->lock.named, &v, h->woken);
		if (remains(&v) || (has_ended(&v) && strcmp(v.result, "success") == 0))
			return 0;
		if (has_ended(&v))
			return unit_failed(u, &v, err);
		if (pause_a_little(j, err) < 0)
			return -1;
	}
}

int job_complete(struct engine *engine, const struct options *own, const struct options *view, struct container_up *ret,
		 struct error *err)
{
	struct job j = {.engine = engine, .own = own, .view = view, .began = now_usec()};
	char directory[PATH_MAX], named[LOCK_NAME_MAX];

	lock_name(view->backend, engine->socket, view->container, named);
	if (runtime_directory(view->scope, directory, err) < 0 ||
	    container_lock_shared(&ret->lock, directory, named, view->unit, engine->deadline, err) < 0)
		return -1;
	return view->unit ? complete_unit(&j, ret, err) : complete_container(&j, directory, ret, err);
}
