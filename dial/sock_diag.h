/* Does somebody listen? Asked of the kernel by sock_diag(7), in the network namespace we are in.
 *
 * The question is the one the kernel asks itself for a SYN or a datagram to that address and port ("exact" lookup of
 * inet_diag). So wildcard addresses, dual-stack IPv6 sockets, SO_BINDTODEVICE and SO_REUSEPORT are answered as the
 * connection would be, and it costs no walk over all sockets.
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
	SOCKET_OURS,	/* … but systemd handed it to us: connecting to it would come back to us */
};

/* A descriptor for the questions, close-on-exec. Fails with ENOENT where the kernel has no such interface for this type
 * (SOCK_STREAM, SOCK_DGRAM). */
int sock_diag_open(int type, struct error *err);

struct listener {
	uint64_t cookie; /* the kernel's number of the socket, which no other one ever gets */
	bool loopback;	 /* it is bound to an address that others cannot reach, not to all */
};

/* Who gets what is sent to t, which has its port set. Failures, which mean lack of memory, count as SOCKET_NONE. *ret
 * (NULL: not asked for) tells about the socket that was found. */
enum socket_found sock_diag_find(int diag, int type, const struct target *t, struct listener *ret);
enum socket_found sock_diag_look(int diag, int type, const struct target *t);

/* Which TCP ports are in LISTEN state in our network namespace, each once, in host byte order. Returns how many were found,
 * `max` at most; 0 also where sockets of ours are among them: then it is the host's. */
size_t sock_diag_listening(uint16_t *ret, size_t max);

/* Pure: what the kernel answered, in a buffer that is aligned as struct nlmsghdr. 0: *ret, in there, is the socket that
 * was found, or NULL (the end of a dump); else an errno value. */
int sock_diag_read(const void *answer, size_t len, const struct inet_diag_msg **ret);
