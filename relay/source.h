/* --transparent: the server sees the client's own address and port.
 *
 * The socket to the target is bound to the client's address (IP_TRANSPARENT, ip(7): CAP_NET_RAW) and carries a mark. By
 * this mark nshelper's routing rule leads the server's answers back to us instead of out of the namespace. Only a
 * target of the same family can see the address; and a connection of the container's own may use it already. Then the
 * relay connects without it: serving the client matters more than showing its address. It also connects without it for
 * a client on the host's loopback or in the container itself, whose address the server would take for its own
 * (outside.h).
 */
#pragma once

#include "relay/worker.h"

/* The family as which the client's address can be shown; AF_UNSPEC if there is none. */
int source_family(const struct worker *w, const struct connection *c);

/* Binds a new socket of the target's family to the client's address; false if it is not bound. Sets c->anonymous if
 * that is impossible. */
bool source_bind(struct worker *w, struct connection *c, int fd, int family);

/* Gives up showing this client's address, and reports that the first time. */
void source_give_up(struct worker *w, struct connection *c);
