/* Putting a container to sleep: ExecStopPost= of every instance. */
#pragma once

#include "activator/options.h"

/* Returns 0 also when there is a reason to leave the container as it is, and says that reason. argv: the words of the
 * options. */
int sleep_container(const struct options *o, char *const *argv, struct error *err);
