/* Batches of datagrams: recvmmsg(2), sendmmsg(2) and the control messages that travel with them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/error.h"
#include "relay/flows.h"

#define BATCH_SIZE   16
#define DATAGRAM_MAX 65536U /* datagrams joined by UDP_GRO are no longer */

struct datagram {
	char *data;
	size_t len;
	unsigned segment;	       /* several datagrams of this length, the last may be shorter; 0: one datagram */
	struct flow_key key;	       /* without the forward */
	const struct sockaddr *client; /* valid until the next batch */
};

struct batch_storage;

struct batch {
	char *memory;
	struct datagram datagrams[BATCH_SIZE];
	struct batch_storage *storage; /* the arguments of the calls */
	bool plain;		       /* connected sockets use send(2), not sendmsg(2): see unix_clients, confine.h */
};

/* The memory for large datagrams is only touched if they come. It lives as long as the process. */
int batch_open(struct batch *b, struct error *err);

/* Makes the kernel join datagrams of one sender (Linux 5.0; before, each comes alone). Returns whether it does. */
bool datagram_join(int fd);

/* For a listener: makes the kernel join datagrams, and report the addresses to which clients sent them. */
int datagram_options(int fd, int family, struct error *err);

/* Receives the datagrams that are there. family is that of a listener, whose clients the keys then name, or AF_UNSPEC
 * for a flow's socket. *want belongs to the socket; it begins at 0 and adapts to the number of datagrams per call, up
 * to BATCH_SIZE: asking for many costs more if only one is there. Returns 0 with errno set if there was none, or on an
 * error. */
size_t batch_receive(struct batch *b, int fd, int family, uint8_t *want);

/* Sends the datagrams from `first` to before `end`: to the client of `to`, from the address to which it sent, or
 * through a connected socket (NULL). Returns how many were sent; the others are lost. */
size_t batch_send(struct batch *b, size_t first, size_t end, int fd, const struct flow_key *to);
