/* Policy routing by rtnetlink(7), in the network namespace of the caller. */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* For IPv4 and IPv6: packets with this mark are looked up in this table, which delivers every address locally. What is
 * there already stays; nothing is ever doubled, however many do this at once. Without IPv6 in the namespace its half is
 * left out. Needs CAP_NET_ADMIN over the namespace. */
int routes_install(uint32_t mark, uint32_t table, struct error *err);
