/* One direction of a SOCK_SEQPACKET connection (unix(7)): each packet is passed on whole, an empty one, too. Ancillary
 * data (descriptors, credentials) is not. */
#pragma once

#include "relay/worker.h"

/* Prepares both ends. */
void packet_start(struct connection *c);

/* As send(2): the packet goes whole or not at all. */
ssize_t packet_send(struct end *to, const char *data, size_t len);

/* As recv(2) on `from`: receives one packet into *ret_data, which is the worker's buffer, or for a larger packet memory
 * of its own that the caller frees. An empty packet is told from the end by *ret_end. */
ssize_t packet_receive(struct worker *w, struct end *from, char **ret_data, bool *ret_end);
