/* A route of the table `local` makes an address one to bind to, and to be answered at, without giving it to an
 * interface:
 *
 *	ip route add local 192.0.0.8 dev lo table local src 127.0.0.1
 *
 * Were it an address of lo, servers would find it among their own (PostgreSQL's `samehost`), and answer datagrams from
 * it: a server on 0.0.0.0 chooses the source of an answer by the route to the asker, and the asker, who is connected to
 * 127.0.0.1, takes none from elsewhere. Hence `src`. For IPv6 it is the same with ::1.
 */
#include "nshelper/outside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "common/outside.h"
#include "nshelper/routes.h"

/* A route that is there already is ours, unless it came with an address. */
static int check_no_address(const struct in_addr *address, struct error *err)
{
	bool found = false;
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return error_errno(err, errno, "cannot list the addresses in the container");
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)i->ifa_addr;

		found = sin && sin->sin_family == AF_INET && sin->sin_addr.s_addr == address->s_addr;
	}
	freeifaddrs(all);
	if (found)
		return error_set(err, EADDRINUSE,
				 "the container has the address " OUTSIDE_IPV4 " itself, from which its servers are to "
				 "see other clients: take that away, or let them see local ones ('--target "
				 "127.0.0.1')");
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
	r = routes_add_local(AF_INET, &ipv4, &loopback, err);
	if (r < 0 || (r == ROUTE_WAS_THERE && check_no_address(&ipv4, err) < 0))
		return -1;
	r = routes_add_local(AF_INET6, &ipv6, &in6addr_loopback, err);
	*ret_ipv6 = r == ROUTE_ADDED || r == ROUTE_WAS_THERE;
	return r < 0 ? -1 : 0;
}
