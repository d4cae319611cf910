/* One direction of a SOCK_SEQPACKET connection (unix(7)): passes on each packet whole, empty ones, too, but no
 * ancillary data (descriptors, credentials). */
#pragma once

#include "relay/worker.h"

/* Prepares both ends. */
void packet_start(struct connection *c);

/* As send(2): the packet goes whole or not at all. */
ssize_t packet_send(struct end *to, const char *data, size_t len);

/* As recv(2) on `from`: receives one packet into *ret_data. That is the worker's buffer, or, for a larger packet,
 * memory that the caller frees. *ret_end tells the end from an empty packet. */
ssize_t packet_receive(struct worker *w, struct end *from, char **ret_data, bool *ret_end);
