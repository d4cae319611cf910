#include "proxy/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "handover/accepted.h"
#include "handover/environment.h"
#include "handover/listen.h"

static int match_one(int fd, struct forward *forwards, size_t n, struct error *err)
{
	struct sockaddr_storage addr = {0};
	socklen_t addr_len = sizeof(addr), len = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &addr_len) < 0 || listen_make_private(fd) < 0)
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

static struct forward *forward_of(struct forward *forwards, size_t n, int listener)
{
	for (size_t i = 0; i < n; i++) {
		if (forwards[i].fd == LISTEN_FDS_START + listener)
			return &forwards[i];
	}
	return NULL;
}

int accepted_parse(const char *text, struct forward *forwards, size_t n_forwards, struct accepted **ret, size_t *ret_n,
		   struct error *err)
{
	_cleanup_free_ struct accepted_client *clients = NULL;
	_cleanup_free_ struct accepted *list = NULL;
	size_t n;

	*ret = NULL;
	*ret_n = 0;
	if (accepted_decode(text, n_forwards, &clients, &n, err) < 0)
		return -1;
	if (n == 0)
		return 0;
	list = calloc(n, sizeof(*list));
	if (!list)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		list[i] = (struct accepted){.fd = clients[i].fd,
					    .forward = forward_of(forwards, n_forwards, clients[i].listener)};
		if (!list[i].forward)
			return error_set(err, 0, ENVIRONMENT_ACCEPTED " names a listener that is not there");
	}
	*ret = steal_ptr(&list);
	*ret_n = n;
	return 0;
}
