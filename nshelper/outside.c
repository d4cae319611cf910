/* A route of the table `local` lets a process bind to an address, and get answers there, although no interface has it:
 *
 *	ip route add local 192.0.0.8 dev lo table local src 127.0.0.1
 *
 * If lo had the address, servers would find it among their own (PostgreSQL's `samehost`). Hence the route. Hence also
 * `src`: a server on 0.0.0.0 that answers a datagram chooses its source address by the route to the client, and the
 * client, which is connected to 127.0.0.1, accepts answers only from there. The same holds for IPv6 with ::1.
 */
#include "nshelper/outside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "handover/outside.h"
#include "nshelper/routes.h"

/* Are the addresses the same, as far as the mask goes? A prefix of no bits contains everything, and tells nothing. */
static bool contains(const uint8_t *address, const uint8_t *mask, const uint8_t *other, size_t len)
{
	bool any = false;

	for (size_t k = 0; k < len; k++) {
		if ((address[k] ^ other[k]) & mask[k])
			return false;
		any |= mask[k] != 0;
	}
	return any;
}

static bool is_in_network_of(const struct ifaddrs *i, const struct in_addr *ipv4, const struct in6_addr *ipv6)
{
	const void *address = i->ifa_addr, *mask = i->ifa_netmask;
	const struct sockaddr_in *a4 = address, *m4 = mask;
	const struct sockaddr_in6 *a6 = address, *m6 = mask;

	if (!address || !mask)
		return false;
	if (i->ifa_addr->sa_family == AF_INET)
		return contains((const uint8_t *)&a4->sin_addr, (const uint8_t *)&m4->sin_addr, (const uint8_t *)ipv4,
				sizeof(*ipv4));
	return i->ifa_addr->sa_family == AF_INET6 &&
	       contains(a6->sin6_addr.s6_addr, m6->sin6_addr.s6_addr, ipv6->s6_addr, sizeof(*ipv6));
}

/* Servers may trust the container's own network, or the container itself, more than strangers. */
static int check_networks(const struct in_addr *ipv4, const struct in6_addr *ipv6, struct error *err)
{
	bool found = false;
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return error_errno(err, errno, "cannot list the addresses in the container");
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next)
		found = is_in_network_of(i, ipv4, ipv6);
	freeifaddrs(all);
	if (found)
		return error_set(err, EADDRINUSE,
				 "a network of the container contains " OUTSIDE_IPV4 " or " OUTSIDE_IPV6
				 ", from which its servers are to see strangers: give it another network, or let them "
				 "see local clients ('--target 127.0.0.1')");
	return 0;
}

int outside_install(bool *ret_ipv6, struct error *err)
{
	const struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
	struct in6_addr ipv6;
	struct in_addr ipv4;
	int r;

	(void)inet_pton(AF_INET, OUTSIDE_IPV4, &ipv4);
	(void)inet_pton(AF_INET6, OUTSIDE_IPV6, &ipv6);
	if (check_networks(&ipv4, &ipv6, err) < 0 || routes_add_local(AF_INET, &ipv4, &loopback, err) < 0)
		return -1;
	r = routes_add_local(AF_INET6, &ipv6, &in6addr_loopback, err);
	*ret_ipv6 = r == ROUTE_ADDED || r == ROUTE_WAS_THERE;
	return r < 0 ? -1 : 0;
}
