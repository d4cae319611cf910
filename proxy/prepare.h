/* The steps before the first client. */
#pragma once

#include "proxy/proxy.h"

/* Takes over the inherited descriptors, waits for the server, makes the workers and confines the process, in this
 * order. The options are parsed already; the rest of *p is zeroed, and its descriptors are -1. */
int prepare_proxy(struct proxy *p, struct error *err);
