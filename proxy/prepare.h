/* The steps before the first client. */
#pragma once

#include "proxy/proxy.h"

/* Takes what was handed over, waits for the server, makes the workers and confines the process, in this order. The options are
 * parsed; the rest of *p is zeroed, and its descriptors are -1. */
int prepare_proxy(struct proxy *p, struct error *err);
