/* What the whole process knows: its configuration and targets, fixed before the first accept, and the few things that
 * all workers share. */
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

/* One --forward: an inherited socket and the addresses inside the namespace that it leads to. */
struct forward {
	const struct publish *publish;
	int fd;
	int family;		/* of the inherited socket */
	struct target *targets; /* with the container's port */
	size_t n_targets;
	_Atomic size_t preferred; /* the target that answered last: the next connection tries it first */
};

enum service_phase {
	SERVING,
	DRAINING, /* accepts nothing any more */
	ENDING,	  /* closes what is left */
};

struct service {
	const struct relay_config *config;
	struct forward *forwards;
	size_t n_forwards;
	struct outside outside;
	unsigned mark;	   /* SO_MARK of sockets with a client's address */
	uint64_t deadline; /* until which a refusing target is tried again; CLOCK_MONOTONIC microseconds */
	struct descriptors descriptors;
	struct worker *workers;
	unsigned n_workers;
	_Atomic enum service_phase phase;
	atomic_uint accepting;	      /* workers that are just accepting: see accept.h */
	atomic_bool leaving;	      /* the first worker looks whether it may end */
	atomic_bool changed;	      /* a worker counted something that the first one has not reported yet */
	atomic_flag said_unreachable; /* a client was reset for want of a server, and it was said */
	atomic_flag said_anonymous;   /* --transparent did without the client's address once, and said so */

	/* What people are told, each by the first worker whom it happens to; NULL: nobody is. `program` belongs to whoever
	 * runs the service. */
	void (*say_unreachable)(struct service *s, const struct target *target, int error);
	void (*say_anonymous)(struct service *s);
	void *program;
};

/* A client was reset because the server could not be connected to, for this reason (errno) or, with 0, in time. */
void service_unreachable(struct service *s, const struct target *target, int error);

/* A server is not shown the address of a client. */
void service_anonymous(struct service *s);

/* Sums over all workers; of any counter, by its offset in struct counters. */
uint64_t service_sum(const struct service *s, size_t offset);
uint64_t service_connections(const struct service *s);
uint64_t service_holding(const struct service *s);
uint64_t service_holders(const struct service *s);
uint64_t service_silent(const struct service *s); /* to be looked at before service_holding() */

/* The latest of all workers. */
uint64_t service_last_activity(const struct service *s);
uint64_t service_last_silent(const struct service *s);
