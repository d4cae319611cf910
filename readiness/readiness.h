/* Is the server in the container ready to serve? The proxy checks this inside the container's network namespace, before
 * it reads the first client's byte and before it confines itself.
 *
 * A port in LISTEN state is not ready: a PostgreSQL that was stopped cleanly listens 20 to 60 ms before it serves. So a
 * check is one of:
 *
 *	listen		the port is in LISTEN state (UDP: bound) on one of the targets; sock_diag(7) tells, and
 *			the server sees no connection. Our own inherited sockets do not count.
 *	postgres	the answer to a startup packet is not error 57P03
 *	redis		the answer to PING is not -LOADING
 *	greeting	the server speaks first (MySQL, SSH, SMTP) and does not say that it is shutting down
 *	http[:PATH]	the answer to GET has a status below 500
 *	none		does not wait
 *	anything else	a command for sh -c, repeated until it exits with 0. {container_port} is replaced.
 *
 * All but the last two wait for `listen` first, which costs microseconds, and only then connect.
 *
 * A server that expects TLS closes such a connection, or answers with an alert. So a server that sends nothing gets a
 * ClientHello now and then (the second time, the fourth, the eighth …), and is ready when it answers that.
 *
 * Images that initialise their data run a temporary server meanwhile, which only they can reach: on 127.0.0.1
 * (MongoDB), or not on TCP at all (PostgreSQL, MySQL). The final server must be within others' reach, and listens on
 * all addresses. So a server on loopback alone must last for a while, with the same socket, before it counts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "dial/proxy_protocol.h"
#include "dial/target.h"
#include "instance/health_check.h"

/* What the checks found out on the way. */
struct readiness_seen {
	bool tls;      /* the server speaks TLS: it accepts connections; nothing more was checked */
	bool denied;   /* it refuses everybody who is not on its own machine */
	bool loopback; /* it listens on loopback alone, */
	bool stayed;   /* … and did so for loopback_usec */
};

struct outside;

struct readiness {
	enum readiness_kind kind;
	const char *argument;		    /* the path of http, the text of a command; points into the parsed string */
	enum proxy_protocol proxy_protocol; /* the header that the server expects from every client */
	uint64_t loopback_usec;		    /* how long a server on loopback alone must last; 0: it is like any other */
	const struct outside *outside;	    /* to report a server that is not dialled; NULL: all are */
	struct readiness_seen *seen;	    /* NULL: not needed; all false before */

	/* What a slow start waits for, and what may help, "" for nothing, as clauses. NULL: tells the keeper. */
	void (*tell)(const char *awaited, const char *hint);
};

/* Parses the word of --health-check. `kind` must live as long as *ret. */
int readiness_parse(const char *kind, struct readiness *ret, struct error *err);

/* Waits until the server on the port (host byte order; ignored for a Unix socket) of one of the targets is ready. type
 * is SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET; only a stream allows more than `listen`. Fails with ETIMEDOUT at
 * deadline_usec (CLOCK_MONOTONIC), with what was seen last, and with ESRCH as soon as pidfd (-1 for none), the
 * container's first process, has ended. */
int readiness_wait(const struct readiness *r, int type, uint16_t port, const struct target *targets, size_t n_targets,
		   uint64_t deadline_usec, int pidfd, struct error *err);
