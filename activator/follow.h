/* Follows a container that has ended while its instance was awake to its next run: somebody may have restarted it or
 * replaced it by another of the same name, or its restart policy starts it again. */
#pragma once

#include "activator/options.h"

/* 0 as soon as it runs again; -1 when it is certain that it will not, or the state is unknown. */
int follow(const struct options *o, struct error *err);
