#include "router/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

#define LIMIT_USEC (2 * USEC_PER_SEC)

/* HTTP/1.0: the answer ends with the connection. */
static int read_answer(int fd, char *ret, size_t size, struct error *err)
{
	uint64_t deadline = time_from_now(LIMIT_USEC);
	size_t n = 0;

	while (n + 1 < size) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t r;

		if (poll(&p, 1, timeout_msec(deadline)) <= 0)
			return error_set(err, ETIMEDOUT, "the engine does not answer");
		r = read(fd, ret + n, size - 1 - n);
		if (r < 0)
			return error_errno(err, errno, "cannot read the engine's answer");
		if (r == 0)
			break;
		n += (size_t)r;
	}
	ret[n] = '\0';
	return 0;
}

int ask_engine(int fd, const char *path, char *ret, size_t size, struct error *err)
{
	char request[512];
	const char *body;
	int n = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: docker\r\n\r\n", path);

	if (n >= (int)sizeof(request))
		return error_set(err, ENAMETOOLONG, "the path '%s' is too long", path);
	if (send(fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		return error_errno(err, errno, "cannot ask the engine");
	if (read_answer(fd, ret, size, err) < 0)
		return -1;
	body = strstr(ret, "\r\n\r\n");
	if (!body || strncmp(ret, "HTTP/1.", 7) != 0 || strncmp(ret + 8, " 200", 4) != 0)
		return error_set(err, ENOENT, "the engine answers '%.*s'", (int)strcspn(ret, "\r\n"), ret);
	memmove(ret, body + 4, strlen(body + 4) + 1);
	return 0;
}
