/* --transparent: prepares the entered network namespace, so that a proxy can use a client's address. */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* The routing table: a number that nobody else is likely to use in a container's namespace. */
#define TRANSPARENT_TABLE 0x50c4e7U

/* Idempotent. Needs CAP_NET_ADMIN over the namespace. Skips IPv6 if the namespace has none. */
int transparent_install(uint32_t mark, struct error *err);
