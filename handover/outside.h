/* The addresses from which a server sees the clients whose own address it is not shown. Servers trust clients of their
 * own machine, so it must be none that a server may hold for its own: no loopback address, none of an interface, none
 * of a network that an interface is in. These are registered as dummy addresses, and appear on no network: RFC 7600
 * (192.0.0.8) and RFC 9780 (100:0:0:1::/64). */
#pragma once

#define OUTSIDE_IPV4 "192.0.0.8"
#define OUTSIDE_IPV6 "100:0:0:1::8"
