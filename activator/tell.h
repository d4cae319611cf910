/* The reports of a wake to its keeper (handover/channel.h). Without a keeper, in a program run by hand, they go
 * nowhere. */
#pragma once

#include "activator/container_up.h"
#include "activator/options.h"
#include "backends/backend.h"

/* Call it before a request to start. The engine has no time limit, so any time may pass until tell_started(); SIGTERM
 * is blocked as well, for the result of the start must be seen. */
void tell_starting(struct engine *e, const char *container);

/* The request was answered. in_vain: nothing was started. If the deadline has passed by then, the rest of the wake
 * gets a new one, startup_timeout microseconds from now. */
void tell_started(struct engine *e, uint64_t startup_timeout, bool in_vain);

/* Call it before the start job of a unit: the manager observes the deadline, but the job may outlast it. */
void tell_starting_unit(const char *unit);

/* What the wake waits for, as a part of a sentence, and what may help (NULL: nothing). Sent again only after a change;
 * *t begins zeroed. */
struct told {
	char clause[512];
};
void tell_awaited(struct told *t, const char *hint, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The container of the options runs; `own` and `needed` (o->n_dependencies of them) hold it and its dependencies. */
int tell_woken(const struct options *o, const struct container_up *own, const struct container_lock *needed,
	       struct error *err);
