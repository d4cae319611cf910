/* What the whole process knows: its configuration and targets, fixed before the first accept, and the few things that
 * all workers share. */
#pragma once

#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/publish.h"
#include "common/stats.h"
#include "proxy/config.h"
#include "proxy/descriptors.h"
#include "proxy/outside.h"
#include "proxy/target.h"

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
	const struct config *config;
	struct forward *forwards;
	size_t n_forwards;
	struct outside outside;
	unsigned mark;	   /* SO_MARK of sockets with a client's address */
	uint64_t deadline; /* until which a refusing target is tried again; CLOCK_MONOTONIC microseconds */
	struct descriptors descriptors;
	struct stats *stats; /* shared with the keeper, or one of our own */
	int hold_fd;	 /* the statistics file, to read until when the instance is held awake; -1: *stats says so */
	bool has_keeper; /* it is told, not the service manager */
	int notify_fd;	 /* to the keeper, or the service manager */

	struct lifecycle *lifecycle;
	struct worker *workers;
	unsigned n_workers;
	_Atomic enum service_phase phase;
	atomic_uint accepting;	      /* workers that are just accepting: see accept.h */
	atomic_bool leaving;	      /* the first worker looks whether it may end */
	atomic_bool changed;	      /* a worker counted something that the first one has not reported yet */
	atomic_flag said_unreachable; /* a client was reset for want of a server, and it was said */
	atomic_flag said_no_source;   /* --transparent did without the client's address once, and said so */
};
