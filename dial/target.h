/* Where the proxy connects: addresses inside the container's network namespace, or one Unix socket inside the
 * container's file system.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/error.h"

/* Ready for connect(2), except for the port of an IP address. The name of a Unix socket is only its last component,
 * relative to the working directory, which targets_resolve() has set to the directory of the socket. */
struct target {
	struct sockaddr_storage addr;
	socklen_t len;
	const struct sockaddr *source; /* where to connect from (outside.h); NULL: the kernel chooses */
	socklen_t source_len;
	const char *path; /* of a Unix socket: all of it, in the addresses that targets_resolve() was given */
};

/* Named targets beyond this number are an error; found ones are left out. */
#define TARGETS_MAX 32

/* Turns addresses into targets, in the order in which to try them; *ret is malloc()ed and belongs to the caller. Each
 * address is IPv4, IPv6 (brackets allowed, a link-local one needs %INTERFACE), or, as the only one, unix:/PATH. NULL or
 * an empty list means 127.0.0.1, ::1 and then the namespace's own addresses (getifaddrs(3)).
 *
 * unix:/PATH is looked up below the container's root, the O_PATH descriptor in VARIABLE_ROOT (handover/environment.h); no
 * symbolic link leads out of it. Its directory need not exist yet: the function waits for it until deadline_usec
 * (CLOCK_MONOTONIC), as long as pidfd (-1 for none), the container's first process, lives. The socket itself may come, go
 * and be replaced. Afterwards the working directory of the process is inside the container; confine() keeps it. */
int targets_resolve(char **addresses, uint64_t deadline_usec, int pidfd, struct target **ret, size_t *ret_n,
		    struct error *err);

/* Leaves out the targets on which the port (host byte order) belongs to a listening socket of ours: in the host's
 * network a connection to them would come back to us, for ever. Returns how many are left, in place and in order. */
size_t targets_without_ours(struct target *targets, size_t n, int type, uint16_t port);

/* connect(2) to the target, from its source. All sockets of the proxy's own connect this way, except those that are
 * already bound to a client's address. Returns 0, or -1 with errno set. */
int target_connect(int fd, const struct target *t);

/* The same address with a port in host byte order. A Unix socket has no port and stays as it is. */
struct target target_with_port(const struct target *t, uint16_t port);

#define TARGET_TEXT_MAX 128
/* "127.0.0.1", "::1", "unix:/PATH": for messages, without the port. */
const char *target_text(const struct target *t, char buffer[static TARGET_TEXT_MAX]);
