/* Routing by rtnetlink(7), in the network namespace of the caller. */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* For IPv4 and IPv6: looks up packets with this mark in this table, which delivers every address locally. Keeps
 * existing routes and rules; never doubles any, even if several processes do this at once. Without IPv6 in the
 * namespace, skips the IPv6 half. Needs CAP_NET_ADMIN over the namespace. */
int routes_install(uint32_t mark, uint32_t table, struct error *err);

enum {
	ROUTE_ADDED,
	ROUTE_WAS_THERE,      /* a route to that address exists, whoever made it */
	ROUTE_WITHOUT_FAMILY, /* the namespace, or its loopback interface, lacks IPv6 */
};

/* Delivers packets to this address (in_addr, in6_addr) locally, although no interface has it. Packets to it come from
 * `source`, unless the sender has chosen another address. Returns one of the values above, or -1. Needs CAP_NET_ADMIN
 * over the namespace. */
int routes_add_local(unsigned char family, const void *address, const void *source, struct error *err);
