/* The flows of a UDP port: one for each client that sent something lately, with a socket of its own inside the
 * namespace, so that each answer finds its client.
 *
 * Flows end when nothing was sent either way for a while. Their number is bounded: the one that was quiet longest makes
 * room for a new one.
 */
#pragma once

#include <netinet/in.h>

#include "relay/worker.h"

/* Where a datagram came from and which of our addresses it was sent to; the answers go the other way. IPv4 addresses
 * are those of the socket's family: mapped on an IPv6 socket. All padding is zero: it is compared and hashed as
 * bytes. */
struct flow_key {
	struct forward *forward;
	struct in6_addr client; /* or an in_addr, the rest zero */
	struct in6_addr local;	/* likewise; zero: not known */
	uint32_t interface;	/* of link-local addresses, else 0 */
	in_port_t port;		/* of the client, network byte order */
	uint16_t unused;
};

struct flow {
	struct watch watch; /* its socket, connected to the target */
	struct flow_key key;
	struct flow *hash_next;
	struct flow *older, *newer; /* by last use */
	uint64_t last_active;	    /* CLOCK_MONOTONIC microseconds */
	char *first;		    /* its first datagram, to be sent again when a target refuses it */
	uint32_t first_len;
	uint16_t target;  /* index of the address it is connected to */
	uint16_t refused; /* how many addresses refused it in a row */
	uint8_t want;	  /* datagrams at a time: batch_receive() */
	bool answered : 1;
	bool joins : 1;	  /* the kernel joins what comes from its target */
	bool waiting : 1; /* for the next try of all addresses */
	bool holds : 1;	  /* keeps the container awake */
};

struct flow_table {
	struct worker *worker;
	struct flow **buckets;
	struct flow *oldest, *newest;
	struct flow *free;
	uint64_t seed;
	uint64_t expiry; /* microseconds; USEC_INFINITY: only for want of room */
	size_t count, max;
	size_t first_bytes; /* in all `first` */
	struct timer timer;
};

int flow_table_init(struct flow_table *t, struct worker *w, size_t max, uint64_t expiry, struct error *err);

struct flow *flow_find(struct flow_table *t, const struct flow_key *key);

/* A new flow without a socket, which flow_connect() gives it; NULL when there is no descriptor or memory for it. */
struct flow *flow_new(struct flow_table *t, const struct flow_key *key,
		      void (*ready)(struct loop *loop, struct watch *watch, uint32_t events));

/* Gives it a socket connected to this one of its forward's targets. Returns 0 or errno, and keeps the old one then. */
int flow_connect(struct flow_table *t, struct flow *f, size_t target);

/* Notes that the flow is in use. */
void flow_touch(struct flow_table *t, struct flow *f);

/* Keeps a copy of its first datagram, if there is room for it, and drops it again. */
void flow_keep_first(struct flow_table *t, struct flow *f, const void *data, size_t len);
void flow_drop_first(struct flow_table *t, struct flow *f);

void flow_close(struct flow_table *t, struct flow *f);
