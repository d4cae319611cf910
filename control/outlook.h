/* What will become of an awake instance if nobody comes. */
#pragma once

#include <stdint.h>

#include "handover/stats.h"
#include "instance/instance.h"

/* When it falls asleep, on CLOCK_REALTIME; 0: never, or somebody is connected and it cannot be said. `now` is of
 * CLOCK_MONOTONIC, `wall_now` the same moment of CLOCK_REALTIME. */
uint64_t outlook_sleep(const struct instance *i, const struct stats *s, uint64_t now, uint64_t wall_now);

/* Spans of an instance, in microseconds; USEC_INFINITY for ever, and for one that was not told. */
uint64_t outlook_span(const char *text);
