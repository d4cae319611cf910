/* What stopping a container (halt_container.h) and a unit that runs one (halt_unit.h) have in common. */
#pragma once

#include <stdint.h>

#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"
#include "common/clock.h"
#include "handover/stats.h"
#include "lifecycle/decide.h"

/* A start that was asked for by a program that was killed may still be on its way through the engine; somebody may be
 * about to stop or restart the container. */
#define HALT_SETTLE_USEC  (5 * USEC_PER_SEC)
#define HALT_SETTLE_PAUSE (100 * USEC_PER_MSEC)

/* The service of the instance itself; NULL where the manager cannot be reached. */
struct unit *halt_open_service(const struct options *o);

/* What stays up is said, and what was restarted is served: by the next keeper. */
void halt_leave(const struct options *o, const struct decision *d);

/* Sets *err: it is still to be waited for. Returns -1. */
int halt_busy(const struct options *o, const struct decision *d, struct error *err);

/* Asks the engine, for a short time: clients may be waiting, and a question may be asked again at any time. */
int halt_inspect(const struct options *o, struct engine *e, struct container *ret, struct error *err);

/* wall: CLOCK_REALTIME microseconds at which it began to go to sleep. Without statistics it is a container of --with. */
void halt_journal(const struct options *o, const struct stats *s, uint64_t wall);
