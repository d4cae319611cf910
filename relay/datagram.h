/* Batches of datagrams: recvmmsg(2), sendmmsg(2) and the control messages that travel with them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/error.h"
#include "relay/flows.h"

#define BATCH_SIZE   16
#define DATAGRAM_MAX 65536U /* what UDP_GRO puts together is not longer either */

struct datagram {
	char *data;
	size_t len;
	unsigned segment;	       /* it is several of this length, the last may be shorter; 0: it is one */
	struct flow_key key;	       /* without the forward */
	const struct sockaddr *client; /* valid until the next batch */
};

struct batch_storage;

struct batch {
	char *memory;
	struct datagram datagrams[BATCH_SIZE];
	struct batch_storage *storage; /* what the calls want to see */
	bool plain;		       /* no messages through connected sockets: see unix_clients in confine.h */
};

/* The memory of large datagrams is only used when they come. It lives as long as the process. */
int batch_open(struct batch *b, struct error *err);

/* Has the kernel join datagrams of one sender (Linux 5.0; without it each comes alone). Says whether it does. */
bool datagram_join(int fd);

/* For a listener: has the kernel join datagrams, and tell the addresses that clients sent to. */
int datagram_options(int fd, int family, struct error *err);

/* Receives what is there. family is that of a listener, whose clients the keys then name, or AF_UNSPEC for a flow's
 * socket. *want, which belongs to the socket, begins at 0 and follows how many there are at a time, up to BATCH_SIZE:
 * asking for many costs more when there is one. 0 with errno set: there was nothing, or an error. */
size_t batch_receive(struct batch *b, int fd, int family, uint8_t *want);

/* Sends the datagrams from `first` to before `end`, to the client of `to` and from the address that it asked, or
 * through a connected socket (NULL). Returns how many went out; those that did not are lost. */
size_t batch_send(struct batch *b, size_t first, size_t end, int fd, const struct flow_key *to);
