#include "activator/tell.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/signals.h"
#include "handover/channel.h"
#include "handover/listen.h"
#include "units/log_command.h"

static uint64_t deadline; /* of the wake, while the engine has none */
static sigset_t before;

void tell_starting(struct engine *e, const char *container)
{
	const sigset_t set = signals_to_end();

	(void)sigprocmask(SIG_BLOCK, &set, &before);
	notify_send(channel_inherited(),
		    "STARTING=1\nAWAITED=%s has not started '%s'\nHINT='%s ps' shows whether %s answers",
		    e->backend->title, container, e->backend->name, e->backend->title);
	deadline = e->deadline;
	e->deadline = USEC_INFINITY;
}

void tell_started(struct engine *e, uint64_t startup_timeout, bool in_vain)
{
	uint64_t now = now_usec();

	if (in_vain)
		notify_send(channel_inherited(), "VAIN=1");
	e->deadline = deadline;
	if (now >= deadline)
		e->deadline = time_after(now, startup_timeout);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

void tell_starting_unit(const char *unit)
{
	notify_send(channel_inherited(), "STARTING=1\nAWAITED=the unit '%s' has not started", unit);
}

void tell_awaited(struct told *t, const char *hint, const char *format, ...)
{
	char clause[sizeof(t->clause)];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(clause, sizeof(clause), format, ap);
	va_end(ap);
	if (strcmp(t->clause, clause) == 0)
		return;
	strcpy(t->clause, clause);
	log_debug("waits: %s", clause);
	notify_send(channel_inherited(), "AWAITED=%s%s%s", clause, hint ? "\nHINT=" : "", hint ? hint : "");
}

static size_t add_lock(int *fds, size_t n, const struct container_lock *l)
{
	if (l->named >= 0 && n < CHANNEL_FDS_MAX)
		fds[n++] = l->named;
	if (l->identity >= 0 && n < CHANNEL_FDS_MAX)
		fds[n++] = l->identity;
	return n;
}

int tell_woken(const struct options *o, const struct container_up *own, const struct container_lock *needed,
	       struct error *err)
{
	int keeper = channel_inherited();
	int fds[CHANNEL_FDS_MAX];
	char text[CHANNEL_TEXT_MAX], log[LOG_COMMAND_MAX];
	size_t n_fds = 0;

	if (keeper < 0)
		return 0;
	fds[n_fds++] = own->pidfd;
	n_fds = add_lock(fds, n_fds, &own->lock);
	for (size_t k = 0; k < o->n_dependencies; k++)
		n_fds = add_lock(fds, n_fds, &needed[k]);
	snprintf(text, sizeof(text), "WOKEN=1\nENDED=the container '%s' ended before it was ready: '%s' may say why",
		 o->container, log_command(o->scope, o->unit, o->backend, o->container, log));
	return channel_send_fds(keeper, text, fds, n_fds, err);
}
