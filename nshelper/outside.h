/* What --outside-source arranges in the entered network namespace, so that a proxy can connect to the servers there
 * from addresses that they do not hold for their own (handover/outside.h). */
#pragma once

#include <stdbool.h>

#include "common/error.h"

/* Idempotent. Needs CAP_NET_ADMIN over the namespace. *ret_ipv6: there is one for IPv6, which the namespace may be
 * without. */
int outside_install(bool *ret_ipv6, struct error *err);
