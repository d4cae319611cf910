/* One attempt to talk to the server: connect, send the request, read until the reply can be judged. */
#include "readiness/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "readiness/probes.h"

static enum verdict not_yet_errno(char seen[static SEEN_MAX], const struct target *t, int code)
{
	char text[TARGET_TEXT_MAX];

	snprintf(seen, SEEN_MAX, "connecting to %s fails: %s", target_text(t, text), strerror(code));
	return VERDICT_NOT_YET;
}

/* The container may put a symbolic link in place of the socket, and before we are confined "/" is the host's root. So
 * we open the socket first, refusing links, and connect through /proc/self/fd, which names the opened file. */
static int connect_unix(int fd, const struct target *t)
{
	const struct sockaddr_un *sun = (const struct sockaddr_un *)&t->addr;
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	_cleanup_close_ int found = (int)syscall(SYS_openat2, AT_FDCWD, sun->sun_path, &how, sizeof(how));
	struct stat st;

	if (found < 0 || fstat(found, &st) < 0)
		return -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return -1;
	}
	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d", found);
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

/* VERDICT_READY with a connected socket in *ret_fd, or why not. */
static int dial(int type, const struct target *t, uint64_t until, const struct patience *patience, int *ret_fd,
		char seen[static SEEN_MAX], struct error *err)
{
	_cleanup_close_ int fd = socket(t->addr.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(int);
	int code = EIO, r;

	if (fd < 0)
		return not_yet_errno(seen, t, errno);
	if (t->addr.ss_family == AF_UNIX)
		r = connect_unix(fd, t);
	else
		r = target_connect(fd, t);
	if (r < 0 && errno != EINPROGRESS)
		return not_yet_errno(seen, t, errno);
	if (r < 0) {
		r = patience_poll(patience, fd, POLLOUT, until, err);
		if (r < 0)
			return -1;
		if (r == 0)
			return not_yet_errno(seen, t, ETIMEDOUT);
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0 || code != 0)
			return not_yet_errno(seen, t, code);
	}
	*ret_fd = steal_fd(&fd);
	return VERDICT_READY;
}

/* Reads until the verdict is clear, the server sends no more, or the time is over. */
static int listen_to(int fd, enum readiness_kind kind, uint64_t until, const struct patience *patience,
		     char seen[static SEEN_MAX], struct error *err)
{
	uint8_t reply[REPLY_MAX];
	size_t len = 0;

	for (;;) {
		int r = patience_poll(patience, fd, POLLIN, until, err);
		enum verdict verdict;
		ssize_t n = 0;

		if (r < 0)
			return -1;
		if (r == 0 && len == 0) {
			snprintf(seen, SEEN_MAX, "the server accepts a connection but does not answer");
			return VERDICT_MUTE;
		}
		if (r > 0)
			n = recv(fd, reply + len, sizeof(reply) - len, 0);
		if (n > 0)
			len += (size_t)n;
		verdict = probe_judge(kind, reply, len, n <= 0 || len == sizeof(reply), seen);
		if (verdict == VERDICT_NOT_YET && len == 0)
			return VERDICT_MUTE;
		if (verdict == VERDICT_NOT_YET && r == 0)
			snprintf(seen, SEEN_MAX, "the server begins to answer, and does not go on");
		if (verdict != VERDICT_MORE)
			return (int)verdict;
	}
}

int probe(const struct readiness *r, int type, const struct target *t, uint64_t attempt_deadline,
	  const struct patience *patience, char seen[static SEEN_MAX], struct error *err)
{
	_cleanup_close_ int fd = -1;
	char request[REQUEST_MAX];
	size_t len = probe_request(r, request);
	int verdict = dial(type, t, attempt_deadline, patience, &fd, seen, err);

	if (verdict != VERDICT_READY || r->kind == READY_LISTEN)
		return verdict;
	/* A fresh connection takes the few bytes of a request in one piece. */
	if (len > 0 && send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		return not_yet_errno(seen, t, errno);
	return listen_to(fd, r->kind, attempt_deadline, patience, seen, err);
}
