#include "activator/halt.h"

#include <errno.h>
#include <stdio.h>

#include "activator/journal.h"
#include "common/extremes.h"
#include "common/log.h"
#include "units/paths.h"

struct unit *halt_open_service(const struct options *o)
{
	static char name[UNIT_NAME_MAX];
	struct error ignored;
	struct unit *u = NULL;

	(void)unit_open(o->scope, unit_name(o->name, ".service", name), &u, &ignored);
	return u;
}

void halt_leave(const struct options *o, const struct decision *d)
{
	_cleanup_unit_ struct unit *u = d->action == ACTION_SERVE ? halt_open_service(o) : NULL;
	struct error why;

	if (u && unit_start_later(u, &why) < 0)
		log_line(LOG_WARNING, "%s", why.text);
	log_line(LOG_INFO, "the %s '%s' %s", o->unit ? "unit" : "container", o->unit ? o->unit : o->container,
		 d->because);
}

int halt_busy(const struct options *o, const struct decision *d, struct error *err)
{
	return error_set(err, EBUSY, "the %s '%s' %s", o->unit ? "unit" : "container", o->unit ? o->unit : o->container,
			 d->because);
}

int halt_inspect(const struct options *o, struct engine *e, struct container *ret, struct error *err)
{
	int r;

	e->deadline = time_from_now(HALT_QUESTION_LIMIT);
	r = e->backend->inspect(e, o->container, ret, err);
	e->deadline = USEC_INFINITY;
	return r;
}

void halt_journal(const struct options *o, const struct stats *s, uint64_t wall)
{
	uint64_t awake = s && s->wake_wall ? beyond(wall, s->wake_wall) : 0;
	char message[640], fields[512];

	if (!s) {
		snprintf(message, sizeof(message), "%s: the container '%s' was %s, too", o->name, o->container,
			 o->idle_pause ? "paused" : "stopped");
		journal_send(MESSAGE_WITH_SLEEP, o->name, o->container, message, "");
		return;
	}
	snprintf(message, sizeof(message),
		 "%s: the container '%s' was %s after %llu s: %llu connections, %llu bytes in, %llu bytes out", o->name,
		 o->container, o->idle_pause ? "paused" : "stopped", (unsigned long long)(awake / USEC_PER_SEC),
		 (unsigned long long)s->connections_total, (unsigned long long)s->bytes_to_container,
		 (unsigned long long)s->bytes_from_container);
	snprintf(fields, sizeof(fields),
		 "SOCKWAKE_AWAKE_USEC=%llu\nSOCKWAKE_CONNECTIONS=%llu\nSOCKWAKE_CONNECTIONS_FAILED=%llu\n"
		 "SOCKWAKE_FLOWS=%llu\nSOCKWAKE_BYTES_TO_CONTAINER=%llu\nSOCKWAKE_BYTES_FROM_CONTAINER=%llu\n",
		 (unsigned long long)awake, (unsigned long long)s->connections_total,
		 (unsigned long long)s->connections_failed, (unsigned long long)s->flows_total,
		 (unsigned long long)s->bytes_to_container, (unsigned long long)s->bytes_from_container);
	journal_send(MESSAGE_SLEEP, o->name, o->container, message, fields);
}
