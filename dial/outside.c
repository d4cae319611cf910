#include "dial/outside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "dial/sock_diag.h"
#include "handover/outside.h"
#include "handover/sources.h"

/* Above vm.mmap_min_addr, and below every mapping of the kernel or the C library. */
#define SOURCES_PLACE 0x200000UL

/* The system call filter identifies an address by its pointer. So nothing may change the memory there. */
static int keep_sources(const struct sources *sources, struct outside *o, struct error *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct sources *kept = mmap((void *)SOURCES_PLACE, page, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (kept == MAP_FAILED)
		return error_errno(err, errno, "cannot keep the addresses to connect from");
	*kept = *sources;
	if (mprotect(kept, page, PROT_READ) < 0)
		return error_errno(err, errno, "cannot keep the addresses to connect from");
	if (kept->ipv4.sin_family)
		o->ipv4 = &kept->ipv4;
	if (kept->ipv6.sin6_family)
		o->ipv6 = &kept->ipv6;
	return 0;
}

static bool to_ipv6(const struct sockaddr *addr, struct in6_addr *ret)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)addr;

	if (addr->sa_family == AF_INET6) {
		*ret = ((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr;
		return true;
	}
	*ret = (struct in6_addr){.s6_addr[10] = 0xff, .s6_addr[11] = 0xff};
	memcpy(&ret->s6_addr[12], &sin->sin_addr, sizeof(sin->sin_addr));
	return addr->sa_family == AF_INET;
}

static int find_own(struct outside *o, struct error *err)
{
	struct ifaddrs *all;
	size_t n = 0;

	if (getifaddrs(&all) < 0)
		return error_errno(err, errno, "cannot list the addresses in the container");
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		n++;
	o->own = calloc(n + 1, sizeof(*o->own));
	for (const struct ifaddrs *i = all; i && o->own; i = i->ifa_next) {
		if (i->ifa_addr && to_ipv6(i->ifa_addr, &o->own[o->n_own]))
			o->n_own++;
	}
	freeifaddrs(all);
	return o->own ? 0 : error_errno(err, ENOMEM, "cannot list the addresses in the container");
}

int outside_open(struct outside *ret, bool list_own, struct error *err)
{
	struct sources sources;
	int told = sources_inherited(&sources, err);

	*ret = (struct outside){};
	if (told <= 0)
		return told;
	ret->kind = sources.host ? OUTSIDE_HOSTS_NETWORK : OUTSIDE_SOURCES;
	if (sources.host)
		return 0;
	if (keep_sources(&sources, ret, err) < 0)
		return -1;
	return list_own ? find_own(ret, err) : 0;
}

void outside_clear(struct outside *o)
{
	free(o->own);
	*o = (struct outside){};
}

static bool is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == IN_LOOPBACKNET);
}

static bool is_unspecified(const struct in6_addr *a)
{
	return IN6_IS_ADDR_UNSPECIFIED(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr32[3] == 0);
}

static bool is_own(const struct outside *o, const struct in6_addr *a)
{
	for (size_t i = 0; i < o->n_own; i++) {
		if (memcmp(&o->own[i], a, sizeof(*a)) == 0)
			return true;
	}
	return false;
}

bool outside_is_inside(const struct outside *o, const struct sockaddr_storage *client)
{
	struct in6_addr a;

	return o->kind == OUTSIDE_SOURCES && to_ipv6((const struct sockaddr *)client, &a) &&
	       (is_loopback(&a) || is_own(o, &a));
}

void outside_disguise(const struct outside *o, struct sockaddr_storage *client)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)client;
	struct sockaddr_in *sin = (struct sockaddr_in *)client;

	if (!outside_is_inside(o, client))
		return;
	if (client->ss_family == AF_INET)
		inet_pton(AF_INET, OUTSIDE_IPV4, &sin->sin_addr);
	else if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr))
		inet_pton(AF_INET, OUTSIDE_IPV4, &sin6->sin6_addr.s6_addr[12]);
	else
		inet_pton(AF_INET6, OUTSIDE_IPV6, &sin6->sin6_addr);
}

/* Is this an outsider's address of ours? Without our binding to it, the kernel would connect to it from the route's
 * source, loopback. */
static bool is_outsiders(const struct outside *o, const struct in6_addr *a)
{
	struct in6_addr ours;

	return (o->ipv4 && to_ipv6((const struct sockaddr *)o->ipv4, &ours) && IN6_ARE_ADDR_EQUAL(&ours, a)) ||
	       (o->ipv6 && to_ipv6((const struct sockaddr *)o->ipv6, &ours) && IN6_ARE_ADDR_EQUAL(&ours, a));
}

/* To a socket that is bound to an outsider's address, connect(2) would take the unspecified address for that one. */
static void become_loopback(struct target *t)
{
	if (t->addr.ss_family == AF_INET)
		((struct sockaddr_in *)&t->addr)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)&t->addr)->sin6_addr = in6addr_loopback;
}

/* False if the namespace lacks this family. */
static bool give_source(const struct outside *o, struct target *t)
{
	if (t->addr.ss_family == AF_INET && o->ipv4) {
		t->source = (const struct sockaddr *)o->ipv4;
		t->source_len = sizeof(*o->ipv4);
	} else if (t->addr.ss_family == AF_INET6 && o->ipv6) {
		t->source = (const struct sockaddr *)o->ipv6;
		t->source_len = sizeof(*o->ipv6);
	}
	return t->source;
}

/* Is the target to be dialled? */
static bool arrange_one(const struct outside *o, bool named, struct target *t)
{
	struct in6_addr a;

	if (!to_ipv6((const struct sockaddr *)&t->addr, &a))
		return true; /* a Unix socket */
	/* connect(2) takes the unspecified address for loopback; nobody who names it means that. */
	if (o->kind == OUTSIDE_HOSTS_NETWORK)
		return !is_unspecified(&a) && (named || !is_loopback(&a));
	if (named && is_unspecified(&a))
		become_loopback(t);
	else if (named && !is_outsiders(o, &a) && (is_loopback(&a) || !is_own(o, &a)))
		return true;
	return give_source(o, t);
}

int outside_arrange(const struct outside *o, bool named, struct target *targets, size_t *n, struct error *err)
{
	size_t left = 0;

	if (o->kind == OUTSIDE_NOTHING)
		return 0;
	for (size_t i = 0; i < *n; i++) {
		if (arrange_one(o, named, &targets[i]))
			targets[left++] = targets[i];
	}
	*n = left;
	if (left > 0)
		return 0;
	if (o->kind == OUTSIDE_HOSTS_NETWORK)
		return error_set(
			err, EADDRNOTAVAIL,
			"the host, whose network the container uses, has no address but loopback, from which a "
			"server would take clients for local ones: '--target 127.0.0.1' accepts that");
	return error_set(err, EADDRNOTAVAIL,
			 "the container's network is without IPv6: leave out --target, or name an IPv4 address");
}

bool outside_misses(const struct outside *o, int diag, int type, uint16_t port)
{
	struct target loopback[] = {
		{.addr.ss_family = AF_INET, .len = sizeof(struct sockaddr_in)},
		{.addr.ss_family = AF_INET6, .len = sizeof(struct sockaddr_in6)},
	};

	if (o->kind != OUTSIDE_HOSTS_NETWORK || diag < 0)
		return false;
	((struct sockaddr_in *)&loopback[0].addr)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	((struct sockaddr_in6 *)&loopback[1].addr)->sin6_addr = in6addr_loopback;
	for (size_t i = 0; i < sizeof(loopback) / sizeof(*loopback); i++) {
		struct target t = target_with_port(&loopback[i], port);

		if (sock_diag_look(diag, type, &t) == SOCKET_LISTENS)
			return true;
	}
	return false;
}
