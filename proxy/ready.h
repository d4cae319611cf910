/* Waits until the server behind the first port is ready. */
#pragma once

#include "proxy/proxy.h"

/* Reports notable facts about the server, and records in the statistics whether it listens on loopback alone. Skips
 * that check if the server is known to do so, or if somebody has chosen its address. */
int ready_await(struct proxy *p, struct error *err);
