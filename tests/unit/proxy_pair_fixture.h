/* A client and a server, and the proxy between them. */
#pragma once

#include "tests/unit/proxy_fixture.h"

#include <dirent.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

struct pair {
	struct proxy_run p;
	int server; /* listener */
	uint16_t port;
	int client, target; /* one connection */
};

static inline void start(struct pair *t)
{
	t->server = bound(SOCK_STREAM);
	proxy_init(&t->p);
	t->port = proxy_forward(&t->p, SOCK_STREAM, port_of(t->server));
}

static inline void connect_pair(struct pair *t)
{
	t->client = connect_to(SOCK_STREAM, t->port);
	t->target = accept_from(t->server);
}

static inline void start_connected(struct pair *t)
{
	start(t);
	proxy_start(&t->p);
	connect_pair(t);
}

static inline void end(struct pair *t)
{
	close(t->client);
	close(t->target);
	close(t->server);
	assert_int_equal(proxy_stop(&t->p), 0);
}
