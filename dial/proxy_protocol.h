/* The PROXY protocol, versions 1 (text) and 2 (binary): a header that tells the client's address to a server that
 * expects it. https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt */
#pragma once

#include <stddef.h>
#include <sys/socket.h>

#include "common/error.h"
#include "dial/outside.h"

enum proxy_protocol {
	PROXY_PROTOCOL_NONE,
	PROXY_PROTOCOL_V1,
	PROXY_PROTOCOL_V2,
};

/* The longest line of version 1 with its NUL; version 2 needs 52 bytes for IPv6. */
#define PROXY_PROTOCOL_MAX 108

/* "v1" or "v2". */
int proxy_protocol_parse(const char *s, enum proxy_protocol *ret, struct error *err);

/* Writes the header for a client (source) that connected to destination, both of one family, and returns its length.
 * Writes IPv4 addresses mapped into IPv6 as IPv4, and families other than IP as UNKNOWN (v1) or LOCAL (v2). */
size_t proxy_protocol_format(enum proxy_protocol version, const struct sockaddr *source,
			     const struct sockaddr *destination, char ret[static PROXY_PROTOCOL_MAX]);

/* The header for an accepted socket; 0 if its client is gone already. The kernel supplies the addresses, so they are
 * also right for a connection that waited in the queue. A client on this machine's loopback, which the server would
 * take for one of its own, is announced as an outsider, with its own port. */
size_t proxy_protocol_header(enum proxy_protocol version, int fd, const struct outside *outside,
			     char ret[static PROXY_PROTOCOL_MAX]);
