/* A step of confine(): disarms the sockets that stay open. */
#pragma once

#include "confine/confine.h"

/* Keeps the TCP sockets that stay open from connecting elsewhere. Adds UNCONFINED_SOCKETS to *missing if the kernel
 * does not allow it. */
int disarm_sockets(const struct confinement *c, unsigned *missing, struct error *err);
