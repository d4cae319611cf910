/* A step of confine(): landlock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "confine/confine.h"

/* What Landlock denies in its version `abi` (-1: the kernel has none), as landlock_create_ruleset(2) expects it. */
struct landlock_denied {
	uint64_t file_system;
	uint64_t network; /* since version 4 */
	uint64_t scoped;  /* since version 6 */
};
struct landlock_denied landlock_denied(long abi, bool transparent);

/* Adds UNCONFINED_* bits to *missing for what this kernel's Landlock cannot do. */
int landlock_restrict(const struct confinement *c, unsigned *missing, struct error *err);
