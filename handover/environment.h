/* What the programs before the proxy have left in the environment: docs/architecture.md. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* A descriptor that the variable names; -1 when it is not set. It is not for others to inherit. */
int environment_fd(const char *name, int *ret, struct error *err);

/* SOCKWAKE_DEADLINE, else so many microseconds from now on. */
int environment_deadline(uint64_t startup_timeout, uint64_t *ret, struct error *err);

/* SOCKWAKE_MARK: nshelper's rule looks for it. */
int environment_mark(unsigned *ret, struct error *err);
