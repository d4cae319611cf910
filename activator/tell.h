/* What a wake tells the keeper that asked for it (handover/channel.h). By hand, without a keeper, nobody is told. */
#pragma once

#include "activator/container_up.h"
#include "activator/options.h"
#include "backends/backend.h"

/* A start is about to be asked for. The engine keeps to no time limit, so it may take any time until
 * tell_started(); SIGTERM waits as well, for what is started has to be seen. */
void tell_starting(struct engine *e, const char *container);

/* It was answered; in_vain: nothing was started. When that took until after the deadline, the rest of the wake gets a new
 * one, so many microseconds from now on. */
void tell_started(struct engine *e, uint64_t startup_timeout, bool in_vain);

/* The job of a unit is about to be asked for: the manager keeps to the deadline, but the job may outlast it. */
void tell_starting_unit(const char *unit);

/* What is waited for now, as a part of a sentence, and what may help (NULL: nothing). Said again only when it has
 * changed; *t begins zeroed. */
struct told {
	char clause[512];
};
void tell_awaited(struct told *t, const char *hint, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The container of the options runs; these hold on to it and to the containers that it needs, o->n_dependencies of them. */
int tell_woken(const struct options *o, const struct container_up *own, const struct container_lock *needed,
	       struct error *err);
