/* Ranges of source addresses, for --ignore-from and the like: "192.0.2.0/24", "2001:db8::/32", "192.0.2.7". */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "common/error.h"

struct cidr {
	unsigned char address[16]; /* IPv4 as ::ffff:A.B.C.D (RFC 4291, 2.5.5.2) */
	unsigned prefix;	   /* how many bits of address[] count: 0 to 128 */
};

/* Parses one range; without a slash it is a single address. Bits after the prefix must be zero. */
int cidr_parse(const char *s, struct cidr *ret, struct error *err);

/* Does the outer range contain every address of the inner one? */
bool cidr_covers(const struct cidr *outer, const struct cidr *inner);

/* Is this IPv4 or IPv6 address within the range? False for other families (Unix sockets). */
bool cidr_contains(const struct cidr *c, const struct sockaddr *address);
