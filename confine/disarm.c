/* A TCP socket of the host's network, listening or accepted, could be disconnected (connect(2) with AF_UNSPEC) and
 * connected again: out of the container, to the host's loopback. Seccomp sees only a pointer, Landlock only the port.
 *
 * So each such socket gets a filter (socket(7), SO_ATTACH_FILTER) that drops the second step of every handshake that it
 * could begin, SYN and ACK together; an accepted connection never receives one. The filter is locked (SO_LOCK_FILTER).
 * Connections accepted later inherit both from the listener. systemd keeps the listener, and with it the filter: the
 * next wake finds it locked. (Only connections that queued before the first wake since the socket unit started have no
 * filter.)
 *
 * Some kernels of 2026 and later let only CAP_NET_ADMIN attach a filter to a TCP socket. There only Landlock's rule
 * about ports remains.
 */
#include "confine/disarm.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static int option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -1 : value;
}

/* Returns 1 if it is not permitted. */
static int disarm(int fd, struct error *err)
{
	/* The filter of a TCP socket sees the segment from the TCP header on; byte 13 holds the flags (RFC 9293,
	 * 3.1). */
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN | TH_ACK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	static const struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};
	int domain = option(fd, SO_DOMAIN), on = 1;

	/* Only sockets have a domain. */
	if ((domain != AF_INET && domain != AF_INET6) || option(fd, SO_TYPE) != SOCK_STREAM ||
	    option(fd, SO_LOCK_FILTER) == 1)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return errno == EPERM ? 1 : error_errno(err, errno, "cannot attach a filter to descriptor %d", fd);
	if (setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0)
		return error_errno(err, errno, "cannot lock the filter of descriptor %d", fd);
	return 0;
}

int disarm_sockets(const struct confinement *c, unsigned *missing, struct error *err)
{
	for (size_t i = 0; i < c->n_keep; i++) {
		int r = c->keep[i] < 0 ? 0 : disarm(c->keep[i], err);

		if (r < 0)
			return -1;
		if (r > 0)
			*missing |= UNCONFINED_SOCKETS;
	}
	return 0;
}
