/* The wake path: see docs/architecture.md, "The chain of a wake". */
#pragma once

#include "activator/options.h"

/* Does not return when the container was woken: this process is then another program. Returns 0 when nothing had to be
 * woken (--no-wake-from), -1 on failure; the caller then refuses the queue. t_main is CLOCK_MONOTONIC microseconds. */
int wake(const struct options *o, uint64_t t_main, struct error *err);
