/* Is the server in the container ready to serve? Asked inside the container's network namespace, before the first
 * client's byte is read and before the proxy confines itself.
 *
 * A port in LISTEN state is not ready: a PostgreSQL that was stopped cleanly listens 20 to 60 ms before it serves. So
 * a check is one of:
 *
 *	listen		the port is in LISTEN state (UDP: bound) on one of the targets; asked of the kernel by
 *			sock_diag(7), the server sees no connection. Our own inherited sockets do not count.
 *	postgres	a startup packet is answered by anything but error 57P03
 *	redis		PING is answered by anything but -LOADING
 *	greeting	the server speaks first (MySQL, SSH, SMTP) and does not say that it is shutting down
 *	http[:PATH]	GET is answered by a status below 500
 *	none		not waited for
 *	anything else	a command for sh -c, repeated until it exits with 0. {container_port} is replaced.
 *
 * All but the last two wait for `listen` first, which costs microseconds, and only then connect.
 *
 * A server that expects TLS closes such a connection, or answers with an alert. So one that says nothing is sent a
 * ClientHello now and then (the second time, the fourth, the eighth …), and is ready when it answers that.
 *
 * Images that initialise their data run a temporary server meanwhile, which only they can reach: on 127.0.0.1 (MongoDB), or
 * not on TCP at all (PostgreSQL, MySQL). The server that stays is to be reached by others, and listens on all addresses.
 * So one on loopback alone has to last for a while, always the same socket, before it counts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "dial/proxy_protocol.h"
#include "dial/target.h"
#include "instance/health_check.h"

/* What was seen on the way to ready. */
struct readiness_seen {
	bool tls;      /* the server speaks TLS: it takes connections, and more was not asked */
	bool denied;   /* it lets nobody in who does not come from its own machine */
	bool loopback; /* it listens on loopback alone, */
	bool stayed;   /* … and did so for loopback_usec */
};

struct outside;

struct readiness {
	enum readiness_kind kind;
	const char *argument; /* the path of http, the text of a command; points into the string that was parsed */
	enum proxy_protocol proxy_protocol; /* what the server expects first, of everybody who connects */
	uint64_t loopback_usec;	       /* so long a server on loopback alone has to last; 0: it is one like any other */
	const struct outside *outside; /* to say of a server that it is not dialled; NULL: all are */
	struct readiness_seen *seen;   /* NULL: nobody asks; all false before */
};

/* Takes the word of --health-check. `kind` must live as long as *ret. */
int readiness_parse(const char *kind, struct readiness *ret, struct error *err);

/* Waits until the server on the port (host byte order; ignored for a Unix socket) of one of the targets is ready. type
 * is SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET; only a stream can be asked more than `listen`. Fails with ETIMEDOUT at
 * deadline_usec (CLOCK_MONOTONIC), saying what was seen last, and with ESRCH at once when pidfd (-1 for none), the
 * container's first process, has ended. */
int readiness_wait(const struct readiness *r, int type, uint16_t port, const struct target *targets, size_t n_targets,
		   uint64_t deadline_usec, int pidfd, struct error *err);
