/* Asks the kernel by sock_diag(7) what listens in our network namespace.
 *
 * The lookup is the kernel's own for a SYN or a datagram to that address and port ("exact" lookup of inet_diag). So the
 * answer takes wildcard addresses, dual-stack IPv6 sockets, SO_BINDTODEVICE and SO_REUSEPORT into account as a
 * connection would, without a walk over all sockets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "dial/target.h"

struct inet_diag_msg;

enum socket_found {
	SOCKET_NONE,
	SOCKET_LISTENS, /* TCP in LISTEN state; UDP bound */
	SOCKET_OURS,	/* … but passed to us by systemd: a connection to it would come back to us */
};

/* A descriptor for the questions, close-on-exec. Fails with ENOENT if the kernel has no such interface for this type
 * (SOCK_STREAM, SOCK_DGRAM). */
int sock_diag_open(int type, struct error *err);

struct listener {
	uint64_t cookie; /* the kernel's number of the socket, never reused */
	bool loopback;	 /* bound to an address that others cannot reach */
};

/* Finds the socket that receives what is sent to t, whose port is set. Failures, which mean lack of memory, count as
 * SOCKET_NONE. *ret (may be NULL) describes the socket. */
enum socket_found sock_diag_find(int diag, int type, const struct target *t, struct listener *ret);
enum socket_found sock_diag_look(int diag, int type, const struct target *t);

/* The TCP ports in LISTEN state in our network namespace, each once, in host byte order. Returns how many were found,
 * at most `max`; also 0 if sockets of ours are among them: then it is the host's namespace. */
size_t sock_diag_listening(uint16_t *ret, size_t max);

/* Pure: parses the kernel's answer, in a buffer aligned like struct nlmsghdr. 0: *ret points into it to the socket
 * found, or is NULL (the end of a dump); otherwise an errno value. */
int sock_diag_read(const void *answer, size_t len, const struct inet_diag_msg **ret);
