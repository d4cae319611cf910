/* How long clients wait for a port of the container that refuses them. Once the server behind the first port is ready, a port
 * without a listener is more likely a mistake than late. But servers may open one port after another, so the others get
 * as long as the first one took, and two seconds at least. */
#pragma once

#include "proxy/proxy.h"

/* Sets the deadline of each forward, and notes in the statistics which ports have a listener. To be called when the server
 * behind the first port is ready. */
void ports_limit(struct proxy *p);
