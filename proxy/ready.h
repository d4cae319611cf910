/* Waiting until the server behind the first port is ready. */
#pragma once

#include "proxy/proxy.h"

/* Notes what people should know about the server, and remembers in the statistics whether it listens on loopback alone. A
 * server that is known to do so, or whose address somebody has chosen, is not watched for that. */
int ready_await(struct proxy *p, struct error *err);
