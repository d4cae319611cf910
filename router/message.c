#include "router/message.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/extremes.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

/* Only as much of the text as there is. */
static size_t length(const struct message *m)
{
	return offsetof(struct message, text) + strnlen(m->text, MESSAGE_TEXT_MAX - 1) + 1;
}

static int send_message(int channel, const struct message *m, int fd, int flags)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)m, .iov_len = length(m)};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *c;

		header.msg_control = control.bytes;
		header.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return TEMP_FAILURE_RETRY(sendmsg(channel, &header, MSG_NOSIGNAL | flags)) < 0 ? -1 : 0;
}

int message_send(int channel, const struct message *m, int fd)
{
	return send_message(channel, m, fd, MSG_DONTWAIT);
}

int message_tell(int channel, const struct message *m)
{
	return send_message(channel, m, -1, 0);
}

/* The first; padding has room for one more, which nobody has sent in good faith. */
static int passed_descriptor(struct msghdr *header)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(header);
	int fds[2] = {-1, -1};

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(fds, CMSG_DATA(c), least_of(c->cmsg_len - CMSG_LEN(0), sizeof(fds)));
	if (fds[1] >= 0)
		close(fds[1]);
	return fds[0];
}

void message_refuse_descriptors(int channel)
{
	(void)setsockopt(channel, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int));
}

int message_receive(int channel, struct message *ret, int *ret_fd)
{
	struct iovec part = {.iov_base = ret, .iov_len = sizeof(*ret)};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = ret_fd ? control.bytes : NULL,
		.msg_controllen = ret_fd ? sizeof(control.bytes) : 0,
	};
	ssize_t n = recvmsg(channel, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return (int)n;
	if (ret_fd)
		*ret_fd = passed_descriptor(&header);
	if ((size_t)n > offsetof(struct message, text)) {
		ret->engine[sizeof(ret->engine) - 1] = '\0';
		ret->request[sizeof(ret->request) - 1] = '\0';
		ret->text[(size_t)n - offsetof(struct message, text) - 1] = '\0';
		return 1;
	}
	if (ret_fd)
		close_fd(ret_fd);
	errno = EBADMSG;
	return -1;
}
