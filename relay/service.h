/* What all workers share: configuration and targets, fixed before the first accept, and a few variables. */
#pragma once

#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "dial/outside.h"
#include "dial/target.h"
#include "instance/publish.h"
#include "relay/config.h"
#include "relay/descriptors.h"

struct connection;
struct worker;

/* One --forward: an inherited socket, and the addresses inside the namespace to which it leads. */
struct forward {
	const struct publish *publish;
	int fd;
	int family;		/* of the inherited socket */
	struct target *targets; /* with the container's port */
	size_t n_targets;
	_Atomic size_t preferred; /* the target that answered last, which the next connection tries first */
	uint64_t deadline; /* until when clients wait for a server that refuses them; CLOCK_MONOTONIC microseconds */
	atomic_flag said_unreachable; /* reported: a client was reset because no server accepted it */
};

enum service_phase {
	SERVING,
	DRAINING, /* no longer accepts */
	ENDING,	  /* closes the remaining connections */
};

struct service {
	const struct relay_config *config;
	struct forward *forwards;
	size_t n_forwards;
	struct outside outside;
	unsigned mark;	   /* SO_MARK of sockets with a client's address */
	uint64_t deadline; /* until when the container must be ready; CLOCK_MONOTONIC microseconds */
	/* Until then a server that has begun to listen may go on to its next address: clients whose address could be shown
	 * there wait. CLOCK_MONOTONIC microseconds. */
	uint64_t settles;
	struct descriptors descriptors;
	struct worker *workers;
	unsigned n_workers;
	_Atomic enum service_phase phase;
	atomic_uint accepting;	    /* workers that are accepting now: see accept.h */
	atomic_bool leaving;	    /* the first worker checks whether it may end */
	atomic_bool changed;	    /* a worker has counted something that the first one has not reported yet */
	atomic_flag said_anonymous; /* reported: --transparent had to do without a client's address */

	/* Reports, each made by the first worker that it happens to; NULL: none. `program` belongs to the caller of the
	 * service. */
	void (*say_unreachable)(struct service *s, const struct forward *f, const struct target *target, int error);
	void (*say_anonymous)(struct service *s);
	void (*heard)(struct worker *w, const struct connection *c, const char *data,
		      size_t n); /* of a client; not all of it: bulk data goes past us */
	void (*closed)(struct worker *w, const struct connection *c); /* a connection has ended; `failed` tells how */
	void *program;
};

/* A client of this forward was reset: connecting to the server failed with this error (errno), or, with 0, took too long. */
void service_unreachable(struct service *s, struct forward *f, const struct target *target, int error);

/* A server cannot see the address of a client. */
void service_anonymous(struct service *s);

/* Sums over all workers; service_sum() of any counter, by its offset in struct counters. */
uint64_t service_sum(const struct service *s, size_t offset);
uint64_t service_connections(const struct service *s);
uint64_t service_holding(const struct service *s);
uint64_t service_holders(const struct service *s);
uint64_t service_silent(const struct service *s); /* read it before service_holding() */

/* The latest of all workers. */
uint64_t service_last_activity(const struct service *s);
uint64_t service_last_silent(const struct service *s);
