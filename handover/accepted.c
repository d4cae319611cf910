#include "handover/accepted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "handover/environment.h"
#include "handover/listen.h"

#define NAME ENVIRONMENT_ACCEPTED

#define CLIENTS_MAX 100000

size_t accepted_append(char *text, size_t size, size_t len, const struct accepted_client *c)
{
	return len + (size_t)snprintf(text + len, size - len, "%s%d:%d", len ? "," : "", c->fd, c->listener);
}

static int decode_one(char *pair, size_t n_listeners, struct accepted_client *ret, struct error *err)
{
	char *listener = strchr(pair, ':');
	uint64_t fd, index;
	int flags;

	if (!listener)
		return error_set(err, 0, NAME " has '%s' where FD:LISTENER is expected", pair);
	*listener++ = '\0';
	if (parse_u64("the descriptor in " NAME, pair, LISTEN_FDS_START + n_listeners, INT32_MAX, &fd, err) < 0 ||
	    parse_u64("the listener in " NAME, listener, 0, n_listeners - 1, &index, err) < 0)
		return -1;
	/* A descriptor that was handed over survived an execve(). */
	flags = fcntl((int)fd, F_GETFD);
	if (flags >= 0 && flags & FD_CLOEXEC)
		return error_set(err, 0, NAME " names descriptor %d twice, or it was not handed over", (int)fd);
	if (flags < 0 || listen_make_private((int)fd) < 0)
		return error_errno(err, errno, "descriptor %d in " NAME " is not open", (int)fd);
	*ret = (struct accepted_client){.fd = (int)fd, .listener = (int)index};
	return 0;
}

int accepted_decode(const char *text, size_t n_listeners, struct accepted_client **ret, size_t *ret_n,
		    struct error *err)
{
	_cleanup_free_ struct accepted_client *list = NULL;
	_cleanup_free_ char *copy = NULL;
	char *rest, *pair;
	size_t n = 0, max = 1;

	*ret = NULL;
	*ret_n = 0;
	if (!text || !*text)
		return 0;
	for (const char *p = text; *p; p++)
		max += *p == ',';
	if (max > CLIENTS_MAX)
		return error_set(err, E2BIG, NAME " lists more than %d connections", CLIENTS_MAX);
	copy = strdup(text);
	list = calloc(max, sizeof(*list));
	if (!copy || !list)
		return error_set(err, ENOMEM, "out of memory");
	for (rest = copy; (pair = strsep(&rest, ",")); n++) {
		if (decode_one(pair, n_listeners, &list[n], err) < 0)
			return -1;
	}
	*ret = steal_ptr(&list);
	*ret_n = n;
	return 0;
}
