/* A step of confine(): landlock. */
#pragma once

#include "confine/confine.h"

/* Adds UNCONFINED_* bits to *missing for what this kernel's Landlock cannot do. */
int landlock_restrict(const struct confinement *c, unsigned *missing, struct error *err);
