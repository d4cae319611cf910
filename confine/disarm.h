/* A step of confine(): sockets that are kept. */
#pragma once

#include "confine/confine.h"

/* Makes the TCP sockets among those that are kept useless for connecting elsewhere. Adds UNCONFINED_SOCKETS to *missing
 * where the kernel does not let us. */
int disarm_sockets(const struct confinement *c, unsigned *missing, struct error *err);
