/* What --transparent arranges in the entered network namespace, so that a proxy can speak with a client's address. */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* The routing table: a number that nobody else should be using in the namespace of a container. */
#define TRANSPARENT_TABLE 0x50c4e7U

/* Idempotent. Needs CAP_NET_ADMIN over the namespace. IPv6 is left out where the namespace has none. */
int transparent_install(uint32_t mark, struct error *err);
