#include "proxy/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "handover/listen.h"

#define ACCEPTED_MAX 100000

static int make_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int match_one(int fd, struct forward *forwards, size_t n, struct error *err)
{
	struct sockaddr_storage addr = {0};
	socklen_t addr_len = sizeof(addr), len = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &addr_len) < 0 || make_nonblocking(fd) < 0)
		return error_errno(err, errno, "descriptor %d, which systemd handed over, is no usable socket", fd);
	for (size_t i = 0; i < n; i++) {
		struct forward *f = &forwards[i];

		if (f->fd < 0 && publish_matches(f->publish, type, (struct sockaddr *)&addr, addr_len)) {
			f->fd = fd;
			f->family = addr.ss_family;
			return 0;
		}
	}
	return error_set(err, 0,
			 "socket %d of the socket unit has no --forward: the units do not belong together; "
			 "create the instance again with --force",
			 fd - LISTEN_FDS_START + 1);
}

int listeners_match(const struct relay_config *config, struct forward **ret, struct error *err)
{
	_cleanup_free_ struct forward *forwards = calloc(config->n_forwards, sizeof(*forwards));
	char text[PUBLISH_TEXT_MAX];
	int count;

	if (!forwards)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < config->n_forwards; i++) {
		forwards[i].publish = &config->forwards[i];
		forwards[i].fd = -1;
	}
	if (listen_fds(&count, err) < 0)
		return -1;
	for (int fd = LISTEN_FDS_START; fd < LISTEN_FDS_START + count; fd++) {
		if (match_one(fd, forwards, config->n_forwards, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < config->n_forwards; i++) {
		if (forwards[i].fd >= 0)
			continue;
		publish_format(forwards[i].publish, text);
		return error_set(err, 0,
				 "no socket was handed over for --forward %s: start the proxy by its socket unit, "
				 "or by systemd-socket-activate",
				 text);
	}
	*ret = steal_ptr(&forwards);
	return 0;
}

static int parse_pair(char *pair, struct forward *forwards, size_t n, struct accepted *ret, struct error *err)
{
	char *listener = strchr(pair, ':');
	uint64_t fd, index;
	int flags;

	if (!listener)
		return error_set(err, 0, "SOCKWAKE_ACCEPTED has '%s' where FD:LISTENER is expected", pair);
	*listener++ = '\0';
	if (parse_u64("the descriptor in SOCKWAKE_ACCEPTED", pair, LISTEN_FDS_START + n, INT32_MAX, &fd, err) < 0 ||
	    parse_u64("the listener in SOCKWAKE_ACCEPTED", listener, 0, n - 1, &index, err) < 0)
		return -1;
	/* Inherited descriptors have survived an execve(). */
	flags = fcntl((int)fd, F_GETFD);
	if (flags >= 0 && flags & FD_CLOEXEC)
		return error_set(err, 0, "SOCKWAKE_ACCEPTED names descriptor %d twice, or it was not handed over",
				 (int)fd);
	if (flags < 0 || make_nonblocking((int)fd) < 0)
		return error_errno(err, errno, "descriptor %d in SOCKWAKE_ACCEPTED is not open", (int)fd);
	for (size_t i = 0; i < n; i++) {
		if (forwards[i].fd == LISTEN_FDS_START + (int)index) {
			*ret = (struct accepted){.fd = (int)fd, .forward = &forwards[i]};
			return 0;
		}
	}
	return error_set(err, 0, "SOCKWAKE_ACCEPTED names a listener that is not there");
}

int accepted_parse(const char *text, struct forward *forwards, size_t n_forwards, struct accepted **ret, size_t *ret_n,
		   struct error *err)
{
	_cleanup_free_ struct accepted *list = NULL;
	_cleanup_free_ char *copy = NULL;
	char *rest, *pair;
	size_t n = 0, max = 1;

	*ret = NULL;
	*ret_n = 0;
	if (!text || !*text)
		return 0;
	for (const char *p = text; *p; p++)
		max += *p == ',';
	if (max > ACCEPTED_MAX)
		return error_set(err, E2BIG, "SOCKWAKE_ACCEPTED lists more than %d connections", ACCEPTED_MAX);
	copy = strdup(text);
	list = calloc(max, sizeof(*list));
	if (!copy || !list)
		return error_set(err, ENOMEM, "out of memory");
	for (rest = copy; (pair = strsep(&rest, ",")); n++) {
		if (parse_pair(pair, forwards, n_forwards, &list[n], err) < 0)
			return -1;
	}
	*ret = steal_ptr(&list);
	*ret_n = n;
	return 0;
}
