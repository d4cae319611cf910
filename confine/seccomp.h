/* A step of confine(): the system call filter. */
#pragma once

#include "confine/confine.h"

/* From now on allows only the system calls of the list. */
int seccomp_restrict(const struct confinement *c, struct error *err);
