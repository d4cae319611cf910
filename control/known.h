/* Which container sleeps under the name, before its first wake. Wakes write that into the lock, and compare it with the one that
 * they find after a start; the runtime directory is empty after a boot. */
#pragma once

#include "instance/instance.h"

/* Records the identifier unless a wake has recorded a run, or is at it. */
void known_remember(const struct instance *i, const char *id);
