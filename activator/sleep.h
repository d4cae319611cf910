/* Putting a container to sleep: ExecStopPost= of every instance. */
#pragma once

#include "activator/options.h"

/* Returns 0 also when there is a reason to leave the container as it is, and says that reason. */
int put_to_sleep(const struct options *o, struct error *err);
