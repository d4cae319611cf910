/* The flows of a UDP port: one for each recent client, with a socket of its own inside the namespace, so that each
 * answer finds its client.
 *
 * A flow ends after a while without datagrams in either direction. The number of flows is bounded: a new flow replaces
 * the one that has been quiet longest.
 */
#pragma once

#include <netinet/in.h>

#include "relay/worker.h"

/* The source of a datagram, and the address of ours to which it was sent; answers go the other way. Addresses are of
 * the socket's family: IPv4 addresses are mapped on an IPv6 socket. All padding is zero: keys are compared and hashed
 * as bytes. */
struct flow_key {
	struct forward *forward;
	struct in6_addr client; /* or an in_addr, the rest zero */
	struct in6_addr local;	/* likewise; zero: unknown */
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
	char *first;		    /* its first datagram, kept in case a target refuses it */
	uint32_t first_len;
	uint16_t target;  /* index of the address it is connected to */
	uint16_t refused; /* how many addresses refused it in a row */
	uint8_t want;	  /* datagrams at a time: batch_receive() */
	bool answered : 1;
	bool joins : 1;	  /* the kernel joins the datagrams of its target */
	bool waiting : 1; /* for the next round of all addresses */
	bool holds : 1;	  /* keeps the container awake */
};

struct flow_table {
	struct worker *worker;
	struct flow **buckets;
	struct flow *oldest, *newest;
	struct flow *free;
	uint64_t seed;
	uint64_t expiry; /* microseconds; USEC_INFINITY: only to make room */
	size_t count, max;
	size_t first_bytes; /* total size of all `first` */
	struct timer timer;
};

int flow_table_init(struct flow_table *t, struct worker *w, size_t max, uint64_t expiry, struct error *err);

struct flow *flow_find(struct flow_table *t, const struct flow_key *key);

/* A new flow without a socket (see flow_connect()); NULL if there is no descriptor or memory for it. */
struct flow *flow_new(struct flow_table *t, const struct flow_key *key,
		      void (*ready)(struct loop *loop, struct watch *watch, uint32_t events));

/* Gives the flow a socket connected to this one of its forward's targets. Returns 0, or an errno value and keeps the
 * old socket. */
int flow_connect(struct flow_table *t, struct flow *f, size_t target);

/* Notes that the flow is in use. */
void flow_touch(struct flow_table *t, struct flow *f);

/* Keeps a copy of the first datagram, if there is room for it. flow_drop_first() drops it. */
void flow_keep_first(struct flow_table *t, struct flow *f, const void *data, size_t len);
void flow_drop_first(struct flow_table *t, struct flow *f);

void flow_close(struct flow_table *t, struct flow *f);
