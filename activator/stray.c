#include "activator/stray.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "activator/runtime.h"
#include "backends/engine.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "lifecycle/lock.h"

/* The instance's own container, and its dependencies. */
static struct stray {
	char id[CONTAINER_ID_SIZE];
	char name[CONTAINER_NAME_SIZE]; /* at the time of the request */
	struct start_span span;
} strays[DEPENDENCIES_MAX + 1];
static unsigned n_strays;

void stray_note(const struct options *o, const char *id, const struct start_span *span)
{
	struct stray *s = &strays[n_strays];

	if (n_strays == sizeof(strays) / sizeof(*strays) || span->to == 0)
		return;
	n_strays++;
	snprintf(s->id, sizeof(s->id), "%s", id);
	snprintf(s->name, sizeof(s->name), "%s", o->container);
	s->span = *span;
}

/* Somebody else may have started it, before or since. */
static bool is_started_by(const struct container *c, const struct start_span *span)
{
	return (c->state == CONTAINER_RUNNING || c->state == CONTAINER_RESTARTING) && c->started >= span->from &&
	       c->started <= span->to;
}

static int stop(struct engine *e, const struct options *o, const struct stray *s, struct error *err)
{
	_cleanup_container_lock_ struct container_lock lock = NO_CONTAINER_LOCK;
	_cleanup_container_ struct container c = {};
	enum stop_result ignored;
	char directory[PATH_MAX];

	if (e->backend->inspect(e, s->id, &c, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	if (!is_started_by(&c, &s->span))
		return 0;
	if (runtime_directory(o->scope, directory, err) < 0 ||
	    container_lock_found_exclusive(&lock, directory, c.id, 0, err) < 0)
		return error_forgive(err, EWOULDBLOCK) ? 0 : -1;
	log_line(LOG_INFO, "the container '%s' was renamed to '%s' while this wake started it: stops it", s->name,
		 c.name);
	return e->backend->stop(e, c.id, c.stop_timeout, &ignored, err);
}

void stray_stop(const struct options *o)
{
	_cleanup_engine_ struct engine *e = NULL;
	struct error err;

	if (n_strays == 0)
		return;
	if (engine_open(o->backend, o->scope, o->engine_socket, &e, &err) < 0) {
		log_line(LOG_WARNING, "containers that were started may run on: %s", err.text);
		return;
	}
	for (; n_strays > 0; n_strays--) {
		const struct stray *s = &strays[n_strays - 1];

		if (stop(e, o, s, &err) < 0)
			log_line(LOG_WARNING,
				 "the container '%s', which was renamed while it was started, may run on: %s", s->name,
				 err.text);
	}
}
