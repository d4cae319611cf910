/* What the proxy keeps when it gives up everything else (confine/confine.h). */
#pragma once

#include "proxy/proxy.h"

/* Confines the process, and notes what this system cannot do. With a keeper the proxy leaves the journal, too. */
int policy_confine(const struct proxy *p, struct error *err);
