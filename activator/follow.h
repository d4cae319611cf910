/* Follows a container that has ended while its instance was awake to its next run: somebody may have restarted it, have
 * replaced it by another one of the same name, or its restart policy starts it again. */
#pragma once

#include "activator/options.h"

/* 0 as soon as it runs again; -1 once it is settled that it does not, or cannot be told. */
int follow(const struct options *o, struct error *err);
