/* The proxy dials the server from within its network namespace. If the kernel chose the source, it would be the
 * server's own address, and a server that trusts its own machine would trust every client of ours. So the source is one
 * of the addresses of handover/outside.h, if nshelper has prepared them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <netinet/in.h>

#include "common/error.h"
#include "dial/target.h"

enum outside_kind {
	OUTSIDE_NOTHING, /* nshelper was not told to prepare anything: the kernel chooses */
	OUTSIDE_SOURCES,
	OUTSIDE_HOSTS_NETWORK, /* the host's network: nothing is prepared, and loopback is not dialled */
};

struct outside {
	enum outside_kind kind;
	/* Of OUTSIDE_SOURCES; NULL if the namespace lacks the family. They lie in read-only memory of their own, below
	 * all other mappings: seccomp.c. */
	const struct sockaddr_in *ipv4;
	const struct sockaddr_in6 *ipv6;
	/* The namespace's own addresses, IPv4 ones mapped; none without list_own. */
	struct in6_addr *own;
	size_t n_own;
};

/* Reads the addresses from nshelper (handover/sources.h), once per process. With list_own, also lists the namespace's
 * addresses, which named targets, outside_is_inside() and outside_disguise() need. The sources live as long as the process,
 * as targets point to them; outside_clear() frees the rest, also after an error. */
int outside_open(struct outside *ret, bool list_own, struct error *err);
void outside_clear(struct outside *o);

/* Sets the source from which to dial each of the targets, which targets_resolve() found or --target `named`, and
 * removes, in place and in order, those that must not be dialled. Named targets are dialled: a loopback address from
 * loopback, as requested; an address outside the namespace from a source that the kernel chooses. Fails if no target is
 * left. */
int outside_arrange(const struct outside *o, bool named, struct target *targets, size_t *n, struct error *err);

/* Would a server take this client for a local one? */
bool outside_is_inside(const struct outside *o, const struct sockaddr_storage *client);

/* Gives such a client an outsider's address of its own family, and keeps its port. */
void outside_disguise(const struct outside *o, struct sockaddr_storage *client);

/* Is there a server that is not dialled because it listens on the loopback of the host's network alone? diag is from
 * sock_diag_open(), the port in host byte order. */
bool outside_misses(const struct outside *o, int diag, int type, uint16_t port);
