#include "activator/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/listen.h"

/* A hostile client could go on connecting for ever. */
#define LOOK_MAX 100000

static bool is_excluded(const struct cidr *ranges, size_t n, const struct sockaddr_storage *source)
{
	for (size_t i = 0; i < n; i++) {
		if (cidr_contains(&ranges[i], (const struct sockaddr *)source))
			return true;
	}
	return false;
}

/* With SO_LINGER 0 the end of this process, however it comes, resets the connection. */
static void reset_on_close(int fd)
{
	static const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

static void filter_stream(int fd, int listener, const struct cidr *ranges, size_t n, struct accepted *a)
{
	for (int i = 0; i < LOOK_MAX && a->n < ACCEPTED_MAX; i++) {
		struct sockaddr_storage source = {.ss_family = AF_UNSPEC};
		socklen_t len = sizeof(source);
		int c = accept4(fd, (struct sockaddr *)&source, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (c < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			return;
		}
		reset_on_close(c);
		if (is_excluded(ranges, n, &source)) {
			close(c);
		} else {
			a->items[a->n].fd = c;
			a->items[a->n++].listener = listener;
		}
	}
}

/* True when a datagram from elsewhere is in front; those before it are dropped. */
static bool filter_datagrams(int fd, const struct cidr *ranges, size_t n)
{
	for (int i = 0; i < LOOK_MAX; i++) {
		struct sockaddr_storage source = {.ss_family = AF_UNSPEC};
		socklen_t len = sizeof(source);
		char byte;

		if (recvfrom(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_PEEK, (struct sockaddr *)&source, &len) < 0) {
			if (errno == EAGAIN)
				return false;
			continue; /* an ICMP error was queued, and now is not */
		}
		if (!is_excluded(ranges, n, &source))
			return true;
		(void)recv(fd, &byte, sizeof(byte), MSG_DONTWAIT);
	}
	return false;
}

int filter_queue(const struct cidr *ranges, size_t n_ranges, struct accepted *ret, bool *ret_wake, struct error *err)
{
	int count;

	*ret_wake = false;
	if (listen_fds(&count, err) < 0)
		return -1;
	for (int i = 0; i < count; i++) {
		int fd = LISTEN_FDS_START + i, listening = 0;
		socklen_t len = sizeof(listening);

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
			return error_errno(err, errno, "descriptor %d from the service manager is no socket", fd);
		/* Without NonBlocking=yes in the unit the last accept4() would hang. */
		if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
			return error_errno(err, errno, "cannot prepare the listening socket %d", fd);
		if (listening)
			filter_stream(fd, i, ranges, n_ranges, ret);
		else if (filter_datagrams(fd, ranges, n_ranges))
			*ret_wake = true;
	}
	if (ret->n > 0)
		*ret_wake = true;
	return 0;
}

int accepted_hand_down(const struct accepted *a, struct error *err)
{
	char text[ACCEPTED_MAX * 24] = "";
	size_t len = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (fcntl(a->items[i].fd, F_SETFD, 0) < 0)
			return error_errno(err, errno, "cannot hand down an accepted connection");
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d:%d", i ? "," : "", a->items[i].fd,
					a->items[i].listener);
	}
	if ((a->n ? setenv("SOCKWAKE_ACCEPTED", text, 1) : unsetenv("SOCKWAKE_ACCEPTED")) < 0)
		return error_errno(err, errno, "cannot set SOCKWAKE_ACCEPTED");
	return 0;
}
