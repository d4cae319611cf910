/* When an awake instance will fall asleep, if no client comes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "handover/stats.h"
#include "instance/instance.h"

/* The time when it falls asleep, on CLOCK_REALTIME; 0: never, or unknown because a client is connected. `now` is the
 * time on CLOCK_MONOTONIC, `wall_now` the same moment on CLOCK_REALTIME. */
uint64_t outlook_sleep(const struct instance *i, const struct stats *s, uint64_t now, uint64_t wall_now);

/* Does the running proxy have other spans than the instance, which was changed since it woke? */
bool outlook_is_older(const struct instance *i, const struct stats *s);

/* Does its schedule cover all the time? */
bool outlook_is_always(const struct stats *s, uint64_t wall_now);

/* A span of an instance in microseconds; USEC_INFINITY: for ever, or not given. */
uint64_t outlook_span(const char *text);
