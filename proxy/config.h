/* The proxy's command line as docs/architecture.md gives it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cidr.h"
#include "common/error.h"
#include "common/publish.h"
#include "proxy/proxy_protocol.h"
#include "proxy/readiness.h"

struct config {
	struct publish *forwards;
	size_t n_forwards;
	char **targets; /* as targets_resolve() takes them: NULL-terminated; the strings are those of argv */
	size_t n_targets;
	bool unix_target;
	struct readiness readiness;
	bool await;	     /* only waits until await_port is ready; forwards nothing */
	uint16_t await_port; /* host byte order; 0 with a command that does without */
	enum proxy_protocol proxy_protocol;
	bool transparent;
	struct cidr *no_hold; /* clients that do not keep the container awake */
	size_t n_no_hold;
	bool hold_data; /* only a connection on which the client has sent something does */
	unsigned workers;
	/* Microseconds; USEC_INFINITY: never. */
	uint64_t startup_timeout;
	uint64_t idle_timeout;
	uint64_t warm_for;	     /* the idle time-out of a busy period, where it is longer */
	uint64_t keepalive;	     /* 0 or USEC_INFINITY: none */
	uint64_t connection_timeout; /* of a connection without traffic */
	uint64_t flow_timeout;	     /* of a UDP flow without traffic, where it is shorter */
	uint64_t drain_timeout;
};

#define WORKERS_MAX 64

/* argv without the program's name in argv[0]; config_free() releases *ret. The strings of argv must live on. */
int config_parse(int argc, char **argv, struct config *ret, struct error *err);
void config_free(struct config *config);
