/* Puts a container to sleep: ExecStopPost= of every instance. */
#pragma once

#include "activator/options.h"

/* Returns 0 also if there is a reason to leave the container as it is, and says the reason. argv: the words of the
 * command line. */
int sleep_container(const struct options *o, char *const *argv, struct error *err);
