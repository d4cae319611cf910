/* How long a container may take to start. Clients wait for --startup-timeout; the start itself may go on for longer.
 * Otherwise each wake would stop, half-way, a database that initialises itself. */
#pragma once

#include <stdint.h>

#include "common/clock.h"

#define START_LIMIT_LEAST  (600 * USEC_PER_SEC)
#define START_LIMIT_FACTOR 4

/* Microseconds from the beginning of the wake; clients wait for startup_timeout of them. USEC_INFINITY: for ever. */
static inline uint64_t start_limit(uint64_t startup_timeout)
{
	uint64_t limit;

	if (__builtin_mul_overflow(startup_timeout, START_LIMIT_FACTOR, &limit))
		return USEC_INFINITY;
	return limit > START_LIMIT_LEAST ? limit : START_LIMIT_LEAST;
}
