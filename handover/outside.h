/* The source addresses of clients whose own address the server cannot be shown. Servers trust clients on their own
 * machine, so none may pass for the server's own: not a loopback address, nor that of an interface, nor one in the
 * network of an interface. These are registered as dummy addresses, and appear on no network: RFC 7600 (192.0.0.8) and
 * RFC 9780 (100:0:0:1::/64). */
#pragma once

#define OUTSIDE_IPV4 "192.0.0.8"
#define OUTSIDE_IPV6 "100:0:0:1::8"
