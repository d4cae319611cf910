/* --outside-source: prepares the entered network namespace, so that a proxy can connect to the servers there from
 * addresses that they do not take for their own (handover/outside.h). */
#pragma once

#include <stdbool.h>

#include "common/error.h"

/* Idempotent. Needs CAP_NET_ADMIN over the namespace. *ret_ipv6: whether there is an IPv6 address; the namespace may
 * lack IPv6. */
int outside_install(bool *ret_ipv6, struct error *err);
