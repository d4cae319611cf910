/* Routing by rtnetlink(7), in the network namespace of the caller. */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* For IPv4 and IPv6: packets with this mark are looked up in this table, which delivers every address locally. What is
 * there already stays; nothing is ever doubled, however many do this at once. Without IPv6 in the namespace its half is
 * left out. Needs CAP_NET_ADMIN over the namespace. */
int routes_install(uint32_t mark, uint32_t table, struct error *err);

enum {
	ROUTE_ADDED,
	ROUTE_WAS_THERE,      /* one to that address, whoever made it */
	ROUTE_WITHOUT_FAMILY, /* the namespace, or its loopback interface, is without IPv6 */
};

/* Delivers what is sent to this address (in_addr, in6_addr) locally, although no interface has it; what is sent to it
 * comes from `source`, unless the sender has chosen another address. Returns one of those above, or -1. Needs
 * CAP_NET_ADMIN over the namespace. */
int routes_add_local(unsigned char family, const void *address, const void *source, struct error *err);
