#include "activator/wake.h"

#include <stdio.h>

#include "activator/container_up.h"
#include "activator/dependencies.h"
#include "activator/health.h"
#include "activator/journal.h"
#include "activator/runtime.h"
#include "activator/stray.h"
#include "activator/tell.h"
#include "activator/volumes.h"
#include "backends/engine.h"
#include "common/cleanup.h"
#include "common/extremes.h"
#include "common/fault.h"
#include "common/log.h"
#include "handover/environment.h"
#include "handover/stats_text.h"

/* The client may have come long before this wake: while the container was put to sleep, for example. */
static void write_client(const struct stats *s, char *ret_clause, char *ret_fields, size_t size)
{
	uint64_t since = __atomic_load_n(&s->t_client, __ATOMIC_ACQUIRE);
	uint64_t waited = since ? beyond(s->t_inspected, since) : 0;
	char client[STATS_CLIENT_MAX];

	ret_clause[0] = ret_fields[0] = '\0';
	if (!waited || !*stats_text_client(s, client))
		return;
	if (s->startup_timeout && beyond(waited, s->startup_timeout)) /* it was refused then */
		return;
	snprintf(ret_clause, size, ", for which %s has waited %llu.%llu ms", client,
		 (unsigned long long)(waited / 1000), (unsigned long long)(waited / 100 % 10));
	snprintf(ret_fields, size, "SOCKWAKE_CLIENT=%s\nSOCKWAKE_WAITED_USEC=%llu\n", client,
		 (unsigned long long)waited);
}

static void write_journal(const struct options *o, const struct stats *s, const struct container *c, bool woken)
{
	char message[768], fields[768], clause[160], client[160];
	uint64_t t = s->t_inspected - s->t_spawned, asked = s->t_dependencies ? s->t_dependencies : s->t_main;

	write_client(s, clause, client, sizeof(clause));
	snprintf(message, sizeof(message), "%s: the container '%s' %s after %llu.%llu ms%s", o->name, c->name,
		 woken ? "was woken" : "ran already, was found", (unsigned long long)(t / 1000),
		 (unsigned long long)(t / 100 % 10), clause);
	snprintf(fields, sizeof(fields),
		 "SOCKWAKE_CONTAINER_ID=%s\nSOCKWAKE_CONTAINER_PID=%d\nSOCKWAKE_FOUND_RUNNING=%d\n"
		 "SOCKWAKE_LOAD_USEC=%llu\nSOCKWAKE_WITH_USEC=%llu\nSOCKWAKE_START_USEC=%llu\n"
		 "SOCKWAKE_INSPECT_USEC=%llu\n%s",
		 c->id, c->pid, !woken, (unsigned long long)(s->t_main - s->t_spawned),
		 (unsigned long long)(asked - s->t_main), (unsigned long long)(s->t_started - asked),
		 (unsigned long long)(s->t_inspected - s->t_started), client);
	journal_send(MESSAGE_WAKE, o->name, c->name, message, fields);
}

/* Does everything that needs the engine. Closes the connection on return. */
static int bring_up(const struct options *o, uint64_t deadline, struct stats *stats,
		    struct container_lock needed[static DEPENDENCIES_MAX], struct container_up *own, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;

	if (engine_open(o->backend, o->scope, o->engine_socket, &engine, err) < 0 ||
	    engine_check_socket(o->scope, engine->socket, err) < 0)
		return -1;
	engine->deadline = deadline;
	log_debug("wakes the container '%s' of %s, at '%s'", o->container, engine->backend->title, engine->socket);
	if (volumes_check(engine, o, err) < 0)
		return -1;
	if (o->n_dependencies && dependencies_wake(engine, o, stats, needed, err) < 0)
		return -1;
	if (container_up_bring(engine, o, stats, own, err) < 0)
		return -1;
	stats->container_pid = (uint64_t)own->container.pid;
	stats->flags = (stats->flags & STATS_LOOPBACK) | (own->own ? 0 : STATS_FOUND_RUNNING);
	write_journal(o, stats, &own->container, own->woken);
	return o->healthy ? health_await(engine, o, &own->container, own->pidfd, err) : 0;
}

/* Nobody waits for this. A run may end without our putting it to sleep, which would record the volumes too. */
static void remember_volumes(const struct options *o, const struct container *c)
{
	_cleanup_engine_ struct engine *engine = NULL;
	struct error ignored;

	if (engine_open(o->backend, o->scope, o->engine_socket, &engine, &ignored) < 0)
		return;
	volumes_note(engine, o, o->unit ? NULL : c); /* the engine was not asked for the container of a unit */
	for (unsigned k = 0; k < o->n_dependencies; k++) {
		struct options view = dependency_options(o, k);

		volumes_note(engine, &view, NULL);
	}
}

static int wake_all(const struct options *o, struct error *err)
{
	_cleanup_container_up_ struct container_up own = NO_CONTAINER_UP;
	struct container_lock needed[DEPENDENCIES_MAX];
	struct stats *stats = runtime_stats(o);
	uint64_t deadline;

	for (unsigned k = 0; k < DEPENDENCIES_MAX; k++)
		needed[k] = NO_CONTAINER_LOCK;
	if (environment_deadline(o->startup_timeout, &deadline, err) < 0 ||
	    bring_up(o, deadline, stats, needed, &own, err) < 0)
		return -1;
	log_debug("the container '%s' %s: tells the keeper", o->container, own.woken ? "was woken" : "ran already");
	if (tell_woken(o, &own, needed, err) < 0)
		return -1;
	FAULT("wake:told");
	/* The wake of a unit has not asked the engine, whose service may have to be started for that: once since boot
	 * is enough. */
	if (!o->unit || stats->wakes <= 1)
		remember_volumes(o, &own.container);
	return 0;
}

int wake(const struct options *o, struct error *err)
{
	int r = wake_all(o, err);

	stray_stop(o);
	return r;
}
