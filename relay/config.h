/* The configuration of the relay, fixed before it accepts a connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cidr.h"
#include "dial/proxy_protocol.h"
#include "instance/publish.h"

struct relay_config {
	struct publish *forwards;
	size_t n_forwards;
	char **targets; /* for targets_resolve(): NULL-terminated; the caller owns the strings */
	size_t n_targets;
	bool unix_target;
	enum proxy_protocol proxy_protocol;
	bool transparent;
	struct cidr *no_hold; /* clients that do not keep the container awake */
	size_t n_no_hold;
	bool hold_data;	  /* only connections on which the client has sent data hold */
	unsigned workers; /* 0: a number that suits the machine */
	/* Microseconds; USEC_INFINITY: never. */
	uint64_t startup_timeout;
	uint64_t idle_timeout;
	uint64_t warm_for;	     /* the idle time-out of a busy period, if longer */
	uint64_t keepalive;	     /* 0 or USEC_INFINITY: none */
	uint64_t connection_timeout; /* of a connection without traffic */
	uint64_t flow_timeout;	     /* of a UDP flow without traffic, if shorter */
	uint64_t drain_timeout;
};

#define WORKERS_MAX 64
