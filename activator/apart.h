/* Putting a container to sleep in a service of its own, "sockwake-sleep:INSTANCE.service".
 *
 * When a keeper was killed and somebody stops its service, systemd gives the listening sockets to nobody before
 * ExecStopPost= has ended, which may take as long as the container needs to stop. So that ends early, and the work goes
 * on apart: whoever waits has the next keeper, which refuses them in time.
 */
#pragma once

#include <stdbool.h>

#include "activator/options.h"

/* Is this process that service? */
bool apart_is_this(void);

/* Begins it, with these words of our own, and waits a moment: most containers sleep by then. False where there can be no
 * such service. */
bool apart_begin(const struct options *o, char *const *argv);
