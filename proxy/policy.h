/* What the proxy keeps when it confines itself (confine/confine.h). */
#pragma once

#include "proxy/proxy.h"

/* Confines the process, and reports what this system cannot enforce. With a keeper, the proxy also closes the
 * journal. */
int policy_confine(const struct proxy *p, struct error *err);
