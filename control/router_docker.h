/* What the system's Docker runs: containers that would end with it, and containers that have its socket mounted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/parse.h"

struct router_container {
	char name[256];
	char id[80];	 /* its identifier */
	bool runs;	 /* also paused, or restarting */
	bool has_socket; /* /run/docker.sock, or a directory that contains it, is mounted in it */
};

struct router_docker {
	bool live_restore; /* its containers survive its restart */
	struct router_container *containers;
	size_t n;
};

/* Asks the Docker that listens on this socket; only for the containers that run, if the list of all is too large. */
int router_docker_ask(const char *socket, struct router_docker *ret, struct error *err);

void router_docker_clear(struct router_docker *d);
#define _cleanup_router_docker_ _cleanup_(router_docker_clear)

/* Fails if containers would end with Docker: the sentence names them, and what to do. */
int router_docker_check_restart(const struct router_docker *d, struct error *err);

/* Pure functions of its answers; false: it is not what the API promises. */
bool router_docker_parse_info(const char *text, size_t len, struct router_docker *ret);
bool router_docker_parse_list(const char *text, size_t len, struct router_docker *ret);
