/* --transparent: the server sees the client's own address and port.
 *
 * The socket to the target is bound to the client's address (IP_TRANSPARENT, ip(7): CAP_NET_RAW) and carries a mark by
 * which nshelper's routing rule leads the server's answers back to us instead of out of the namespace. The address can
 * only be shown to a target of the same family; and it may be in use already, by a connection of the container's own.
 * Then the connection is made without it: a served client comes before a known one. So is that of a client of the host's
 * loopback, or of the container itself, whose address the server would hold for its own (outside.h).
 */
#pragma once

#include "relay/worker.h"

/* The family that the client's address can be shown as; AF_UNSPEC when it has none. */
int source_family(const struct worker *w, const struct connection *c);

/* Binds a new socket of the target's family; false when it is not bound. Sets c->anonymous when that is not possible. */
bool source_bind(struct worker *w, struct connection *c, int fd, int family);

/* Gives up showing this client's address, and says so the first time. */
void source_give_up(struct worker *w, struct connection *c);
