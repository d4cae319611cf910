#include "activator/dependencies.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "activator/await.h"
#include "activator/container_up.h"
#include "activator/health.h"
#include "activator/job.h"
#include "activator/journal.h"
#include "activator/tell.h"
#include "common/clock.h"
#include "common/log.h"
#include "instance/health_check.h"

static bool is_healthy_check(const struct dependency_options *w)
{
	return w->health_check && strcmp(w->health_check, "healthy") == 0;
}

struct options dependency_options(const struct options *o, unsigned k)
{
	const struct dependency_options *w = &o->dependencies[k];
	struct options view = *o;

	view.container = w->container;
	view.unit = w->unit;
	/* With --keep-running the instance leaves all of them up; else only labels, which are not trusted. */
	view.keep_running = w->keep_running && o->keep_running;
	view.by_label = w->keep_running && !o->keep_running;
	view.job = health_check_is_completed(w->health_check);
	view.healthy = is_healthy_check(w);
	view.health_check = w->health_check;
	view.n_dependencies = 0;
	return view;
}

static const char *describe(const struct options *o, const struct container_up *h)
{
	if (o->job || h->container.state == CONTAINER_EXITED)
		return h->woken ? "has run and ended with status 0" : "was done already, as was seen";
	return h->woken ? "was woken and is ready" : "ran already and is ready";
}

static void write_journal(const struct options *o, const struct container_up *h, uint64_t usec)
{
	char message[640], fields[320];

	snprintf(message, sizeof(message), "%s: the %s '%s' comes first: it %s after %llu.%llu ms", o->name,
		 o->job ? "job" : "container", o->container, describe(o, h), (unsigned long long)(usec / 1000),
		 (unsigned long long)(usec / 100 % 10));
	snprintf(fields, sizeof(fields),
		 "SOCKWAKE_CONTAINER_ID=%s\nSOCKWAKE_CONTAINER_PID=%d\nSOCKWAKE_FOUND_RUNNING=%d\n"
		 "SOCKWAKE_READY_USEC=%llu\n",
		 h->container.id, h->container.pid, !h->woken, (unsigned long long)usec);
	journal_send(MESSAGE_WITH_WAKE, o->name, o->container, message, fields);
}

/* As in a wake of its own: the engine runs the image's HEALTHCHECK; every other check runs in the container's network
 * namespace. */
static int await(struct engine *engine, const struct options *o, unsigned k, const struct container_up *h,
		 struct error *err)
{
	struct options view = dependency_options(o, k);
	const struct dependency_options *w = &o->dependencies[k];
	struct told told = {};

	if (!w->health_check || strcmp(w->health_check, "none") == 0)
		return 0;
	tell_awaited(&told, NULL, "'%s', which comes before '%s', is not ready", w->container, o->container);
	if (!is_healthy_check(w))
		return await_ready(o, w->container, w->port, w->health_check, h->pidfd, engine->deadline, err);
	if (health_await(engine, &view, &h->container, h->pidfd, err) < 0)
		return -1;
	return w->port ? await_ready(o, w->container, w->port, "listen", h->pidfd, engine->deadline, err) : 0;
}

/* Nothing tells when it is ready: it is as soon as it runs, also if it has done its work by the time that this is seen. */
static bool has_run(struct engine *engine, const struct options *view, const struct dependency_options *w,
		    struct container_up *h)
{
	struct error ignored;

	if (view->job || view->unit || w->port || (w->health_check && strcmp(w->health_check, "none") != 0))
		return false;
	container_clear(&h->container);
	if (engine->backend->inspect(engine, view->container, &h->container, &ignored) < 0 ||
	    h->container.state != CONTAINER_EXITED || h->container.exit_code != 0)
		return false;
	log_line(LOG_NOTICE,
		 "'%s' has ended with status 0, and counts as ready; if it is a job that ends by itself, "
		 "'--with %s::completed' runs it to its end first",
		 view->container, view->container);
	return true;
}

static int wake_one(struct engine *engine, const struct options *o, unsigned k, struct stats *stats,
		    struct container_lock *ret_lock, struct error *err)
{
	struct options view = dependency_options(o, k);
	_cleanup_container_up_ struct container_up h = NO_CONTAINER_UP;
	uint64_t began = now_usec();
	int r = view.job ? job_complete(engine, o, &view, &h, err) : container_up_bring(engine, &view, stats, &h, err);

	if (r == 0 && !view.job)
		r = await(engine, o, k, &h, err);
	else if (r < 0 && err->code == ECHILD && has_run(engine, &view, &o->dependencies[k], &h))
		r = error_clear(err);
	if (r == 0)
		write_journal(&view, &h, time_since(began));
	*ret_lock = h.lock;
	h.lock = NO_CONTAINER_LOCK;
	return r;
}

int dependencies_wake(struct engine *engine, const struct options *o, struct stats *stats,
		      struct container_lock locks[static DEPENDENCIES_MAX], struct error *err)
{
	for (unsigned k = 0; k < o->n_dependencies; k++) {
		if (wake_one(engine, o, k, stats, &locks[k], err) < 0)
			return error_context(err, "'%s', which comes before '%s'", o->dependencies[k].container,
					     o->container);
		stats->t_started = 0; /* the engine has not answered the next start yet */
	}
	stats->t_dependencies = now_usec();
	return 0;
}
