/* The proxy dials the server from within its network namespace. Left to the kernel, the server's own address would be
 * the source, and a server that trusts its own machine would trust every client of ours. So the addresses of
 * handover/outside.h are the source, as far as nshelper has arranged for them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <netinet/in.h>

#include "common/error.h"
#include "dial/target.h"

enum outside_kind {
	OUTSIDE_NOTHING, /* nshelper was not told to arrange anything: the kernel chooses */
	OUTSIDE_SOURCES,
	OUTSIDE_HOSTS_NETWORK, /* it is the host's network: nothing is arranged, and loopback is not dialled */
};

struct outside {
	enum outside_kind kind;
	/* Of OUTSIDE_SOURCES; NULL for a family that the namespace is without. They lie in memory that nobody can write
	 * to, alone, below everything else that is mapped: seccomp.c. */
	const struct sockaddr_in *ipv4;
	const struct sockaddr_in6 *ipv6;
	/* The namespace's own addresses, IPv4 ones mapped; none without list_own. */
	struct in6_addr *own;
	size_t n_own;
};

/* Reads what nshelper has told (handover/sources.h), once in a process. With list_own the namespace is asked for its addresses, which named targets,
 * outside_is_inside() and outside_disguise() need. The sources live as long as the process, as targets point to them; the rest goes with
 * outside_clear(), also after an error. */
int outside_open(struct outside *ret, bool list_own, struct error *err);
void outside_clear(struct outside *o);

/* Gives each of the targets, which targets_resolve() found, or which were `named` by --target, the source to dial it
 * from, and takes those out, in place and in order, that are not to be dialled. What was named is dialled: a loopback
 * address from loopback, as that is what it asks for; an address outside of the namespace from what the kernel chooses.
 * Fails when none is left. */
int outside_arrange(const struct outside *o, bool named, struct target *targets, size_t *n, struct error *err);

/* Would a server hold this client for a local one? */
bool outside_is_inside(const struct outside *o, const struct sockaddr_storage *client);

/* Gives such a client an outsider's address, of its own family, and leaves its port. */
void outside_disguise(const struct outside *o, struct sockaddr_storage *client);

/* Does a server listen that is not dialled, because it is on the loopback of the host's network alone? diag is of
 * sock_diag_open(), the port in host byte order. */
bool outside_misses(const struct outside *o, int diag, int type, uint16_t port);
