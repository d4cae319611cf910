/* Puts a container to sleep in a service of its own, "sockwake-sleep:INSTANCE.service".
 *
 * When a keeper was killed and somebody stops its service, no process has the listening sockets until ExecStopPost=
 * has ended, which may last as long as the container takes to stop. So ExecStopPost= ends early, and the work goes on
 * apart: then the next keeper can refuse waiting clients in time.
 */
#pragma once

#include <stdbool.h>

#include "activator/options.h"

/* Does this process belong to that service? */
bool apart_is_this(void);

/* Starts that service with the words of our own command line, and waits a moment: most containers sleep by then. False
 * if there can be no such service. */
bool apart_begin(const struct options *o, char *const *argv);
