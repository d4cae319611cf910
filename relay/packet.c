#include "relay/packet.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>

/* #syscalls: recvfrom recvmsg sendto setsockopt */

/* A timestamp comes with each packet, but not with the end: that tells them apart. */
void packet_start(struct connection *c)
{
	int on = 1;

	for (int i = CLIENT; i <= TARGET; i++)
		(void)setsockopt(c->ends[i].watch.fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on));
}

ssize_t packet_send(struct end *to, const char *data, size_t len)
{
	ssize_t n = send(to->watch.fd, data, len, MSG_NOSIGNAL);
	int size = len < INT_MAX / 2 ? (int)len * 2 : INT_MAX;

	/* The client's socket buffer was larger than our default. */
	if (n < 0 && errno == EMSGSIZE && setsockopt(to->watch.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0)
		n = send(to->watch.fd, data, len, MSG_NOSIGNAL);
	return n;
}

ssize_t packet_receive(struct worker *w, struct end *from, char **ret_data, bool *ret_end)
{
	char control[CMSG_SPACE(sizeof(struct timeval))];
	struct iovec iov = {.iov_base = w->buffer, .iov_len = BUFFER_SIZE};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	*ret_data = w->buffer;
	*ret_end = false;
	/* How long is the packet? */
	n = recv(from->watch.fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
	if (n < 0)
		return n;
	if ((size_t)n > BUFFER_SIZE) {
		iov = (struct iovec){.iov_base = malloc((size_t)n), .iov_len = (size_t)n};
		if (!iov.iov_base) {
			errno = ENOMEM;
			return -1;
		}
		*ret_data = iov.iov_base;
	}
	n = recvmsg(from->watch.fd, &msg, 0);
	*ret_end = n == 0 && !CMSG_FIRSTHDR(&msg);
	return n;
}
