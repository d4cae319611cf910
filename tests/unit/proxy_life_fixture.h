/* A server, and a proxy in front of it that ends after the given time without a connection. */
#pragma once

#include "tests/unit/proxy_fixture.h"

static int server;
static uint16_t port;

static inline void start(struct proxy_run *p, const char *idle)
{
	server = bound(SOCK_STREAM);
	proxy_init(p);
	port = proxy_forward(p, SOCK_STREAM, port_of(server));
	proxy_arg(p, "--idle-timeout");
	proxy_arg(p, "%s", idle);
}
