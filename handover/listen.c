#include "handover/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/parse.h"

/* #syscalls: sendto */

int listen_fds(int *ret_count, struct error *err)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");
	uint64_t n;

	*ret_count = 0;
	if (!pid || !fds)
		return 0;
	if (parse_u64("LISTEN_PID", pid, 1, INT32_MAX, &n, err) < 0)
		return -1;
	if ((pid_t)n != getpid())
		return 0;
	if (parse_u64("LISTEN_FDS", fds, 0, 1024, &n, err) < 0)
		return -1;
	*ret_count = (int)n;
	return 0;
}

int listen_fd_named(const char *name)
{
	const char *names = getenv("LISTEN_FDNAMES");
	struct error ignored;
	int count;

	if (!names || listen_fds(&count, &ignored) < 0)
		return -1;
	for (int k = 0; k < count; k++) {
		size_t len = strcspn(names, ":");

		if (len == strlen(name) && strncmp(names, name, len) == 0)
			return LISTEN_FDS_START + k;
		names += len + (names[len] != '\0');
	}
	return -1;
}

void listen_hand_on(int count)
{
	char text[24];

	snprintf(text, sizeof(text), "%d", getpid());
	(void)setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof(text), "%d", count);
	(void)setenv("LISTEN_FDS", text, 1);
}

int listen_make_private(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int notify_connect(int *ret_fd, struct error *err)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	_cleanup_close_ int fd = -1;
	size_t len;

	*ret_fd = -1;
	if (!path || !*path)
		return 0;
	len = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(to.sun_path))
		return error_set(err, EINVAL, "NOTIFY_SOCKET '%s' is not the address of a Unix socket", path);
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, errno, "cannot create a socket for notifications");
	if (connect(fd, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return error_errno(err, errno, "cannot connect to the notification socket '%s'", path);
	*ret_fd = steal_fd(&fd);
	return 0;
}

void notify_send(int fd, const char *format, ...)
{
	char text[1536];
	va_list ap;
	int n;

	if (fd < 0)
		return;
	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n >= (int)sizeof(text))
		n = (int)sizeof(text) - 1;
	if (send(fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}
