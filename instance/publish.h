/* The grammar of the proxy's --forward, and of each port that -p/--publish stands for:
 *
 *	[ADDR:]PORT:CPORT[/tcp|/udp]	ADDR is IPv4, or IPv6 in brackets; without it all addresses, as in docker run -p
 *	/PATH:CPORT			listens on a Unix stream socket
 *	/PATH:CPORT/seqpacket		listens on a SOCK_SEQPACKET socket (for a target of the same type)
 *
 * CPORT is the port inside the container's network namespace; 0 if the target is a Unix socket.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/error.h"

struct publish {
	int type;			/* SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET */
	char address[INET6_ADDRSTRLEN]; /* canonical text without brackets; "" for all addresses, or with a path */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "" unless it listens on a Unix socket */
	uint16_t port;						/* host byte order; 0 with a path */
	uint16_t container_port;				/* host byte order */
};

int publish_parse(const char *spec, struct publish *ret, struct error *err);

/* The grammar of -p/--publish also includes that of `docker run -p`: "8000-8002:80-82/udp" is three ports. "80" is
 * 80:80, as clients must know the port. Fills `ret` with *ret_n ports, `room` at most. */
int publish_parse_range(const char *spec, struct publish *ret, size_t room, size_t *ret_n, struct error *err);

/* The canonical spelling; publish_parse() turns it back into the same value. */
#define PUBLISH_TEXT_MAX 192
void publish_format(const struct publish *p, char ret[static PUBLISH_TEXT_MAX]);

/* Does this bound socket (its type and getsockname(2)) match p? All addresses match 0.0.0.0 and ::. */
int publish_matches(const struct publish *p, int type, const struct sockaddr *bound, socklen_t len);
