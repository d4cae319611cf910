/* The common part of stopping a container (halt_container.h) and a container unit (halt_unit.h). */
#pragma once

#include <stdint.h>

#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"
#include "common/clock.h"
#include "handover/stats.h"
#include "lifecycle/decide.h"

/* The engine may still be working on a start that a killed program has requested; or somebody may be about to stop or
 * restart the container. */
#define HALT_SETTLE_USEC  (5 * USEC_PER_SEC)
#define HALT_SETTLE_PAUSE (100 * USEC_PER_MSEC)

/* The service of the instance itself; NULL if the manager cannot be reached. */
struct unit *halt_open_service(const struct options *o);

/* Says why the container stays up. If it was restarted, the next keeper serves it. */
void halt_leave(const struct options *o, const struct decision *d);

/* Sets *err: the container is not settled yet. Returns -1. */
int halt_busy(const struct options *o, const struct decision *d, struct error *err);

/* How long a question to the engine may take. */
#define HALT_QUESTION_LIMIT (5 * USEC_PER_SEC)

/* Asks the engine, with a short limit: clients may be waiting, and the question can be repeated. */
int halt_inspect(const struct options *o, struct engine *e, struct container *ret, struct error *err);

/* wall: CLOCK_REALTIME microseconds at which it began to fall asleep. s is NULL for a dependency. */
void halt_journal(const struct options *o, const struct stats *s, uint64_t wall);
