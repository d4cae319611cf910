#include "handover/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "handover/environment.h"

int channel_open(int ret[static 2], struct error *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return error_errno(err, errno, "cannot make a socket for a program to report on");
	return 0;
}

int channel_inherited(void)
{
	struct error ignored;
	int fd;

	if (environment_fd(VARIABLE_KEEPER, &fd, &ignored) < 0 || fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return fd;
}

union control {
	char buffer[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)];
	struct cmsghdr align;
};

int channel_send_fds(int fd, const char *text, const int *fds, size_t n, struct error *err)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
	union control control = {};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (n > CHANNEL_FDS_MAX)
		return error_set(err, E2BIG, "more than %d descriptors in a message", CHANNEL_FDS_MAX);
	m.msg_control = control.buffer;
	m.msg_controllen = CMSG_SPACE(sizeof(int) * n);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
		return error_errno(err, errno, "cannot tell the keeper");
	return 0;
}

static void take_fds(struct msghdr *m, struct message *ret)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t k = 0; k < n && ret->n_fds < CHANNEL_FDS_MAX; k++)
			memcpy(&ret->fds[ret->n_fds++], CMSG_DATA(c) + k * sizeof(int), sizeof(int));
	}
}

bool channel_receive(int fd, struct message *ret, bool *ret_closed)
{
	struct iovec iov = {.iov_base = ret->text, .iov_len = sizeof(ret->text) - 1};
	union control control;
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.buffer,
			   .msg_controllen = sizeof(control.buffer)};
	ssize_t n;

	*ret_closed = false;
	ret->text[0] = '\0';
	ret->n_fds = 0;
	n = TEMP_FAILURE_RETRY(recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
	if (n < 0) {
		*ret_closed = errno != EAGAIN;
		return false;
	}
	ret->text[n] = '\0';
	take_fds(&m, ret);
	/* An empty message looks like the end of the channel, and none of our programs sends one; its descriptors are
	 * dropped. */
	*ret_closed = n == 0;
	if (n == 0)
		message_clear(ret);
	return n > 0;
}

void message_clear(struct message *m)
{
	while (m->n_fds > 0)
		close_fd(&m->fds[--m->n_fds]);
}

bool message_value(const struct message *m, const char *name, char *ret, size_t size)
{
	size_t len = strlen(name), n;

	for (const char *line = m->text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, name, len) != 0 || line[len] != '=')
			continue;
		line += len + 1;
		n = strcspn(line, "\n");
		if (n >= size)
			n = size - 1;
		memcpy(ret, line, n);
		ret[n] = '\0';
		text_make_printable(ret);
		return true;
	}
	return false;
}

const char *channel_listening(const uint16_t *listening, size_t max, char ret[static CHANNEL_LISTENING_MAX])
{
	size_t len = 0;

	ret[0] = '\0';
	for (size_t k = 0; k < max && listening[k]; k++)
		len += (size_t)snprintf(ret + len, CHANNEL_LISTENING_MAX - len, "%s%u",
					k ? ", " : "it does listen on port ", listening[k]);
	return ret;
}

const char *channel_refused(uint16_t port, const uint16_t *listening, size_t max, char ret[static CHANNEL_REFUSED_MAX])
{
	char others[CHANNEL_LISTENING_MAX];
	bool listened = false;

	for (size_t k = 0; k < max; k++)
		listened |= listening[k] == port;
	(void)channel_listening(listening, listened ? 0 : max, others);
	if (others[0])
		snprintf(ret, CHANNEL_REFUSED_MAX,
			 "nothing listens on port %u in the container; %s ('-p PORT:%u' forwards there)", port, others,
			 listening[0]);
	else
		snprintf(ret, CHANNEL_REFUSED_MAX, "nothing listens on port %u in the container", port);
	return ret;
}

const char *channel_unreachable(uint16_t port, int error, const uint16_t *listening, size_t max,
				char ret[static CHANNEL_UNREACHABLE_MAX])
{
	char refused[CHANNEL_REFUSED_MAX], client[32] = "a client";

	if (port && error == ECONNREFUSED) {
		(void)channel_refused(port, listening, max, refused);
		snprintf(ret, CHANNEL_UNREACHABLE_MAX, "a client was reset, as others may be: %s", refused);
		return ret;
	}
	if (port)
		snprintf(client, sizeof(client), "a client of port %u", port);
	snprintf(ret, CHANNEL_UNREACHABLE_MAX, "%s was reset, as others may be: its server cannot be connected to (%s)",
		 client, error > 0 ? strerror(error) : "it does not accept in time");
	return ret;
}
