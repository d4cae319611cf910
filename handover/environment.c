#include "handover/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/parse.h"
#include "handover/mark.h"

static int take_fd(const char *name, const char *text, int *ret, struct error *err)
{
	uint64_t fd;

	if (parse_u64(name, text, 0, INT32_MAX, &fd, err) < 0)
		return -1;
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return error_errno(err, errno, "%s names descriptor %d", name, (int)fd);
	*ret = (int)fd;
	return 0;
}

int environment_fd(const char *name, int *ret, struct error *err)
{
	const char *text = getenv(name);

	*ret = -1;
	return text ? take_fd(name, text, ret, err) : 0;
}

int environment_deadline(uint64_t startup_timeout, uint64_t *ret, struct error *err)
{
	const char *text = getenv("SOCKWAKE_DEADLINE");

	if (text)
		return parse_u64("SOCKWAKE_DEADLINE", text, 0, UINT64_MAX, ret, err);
	*ret = startup_timeout == USEC_INFINITY ? USEC_INFINITY : now_usec() + startup_timeout;
	return 0;
}

int environment_mark(unsigned *ret, struct error *err)
{
	const char *text = getenv("SOCKWAKE_MARK");
	uint64_t mark = TRANSPARENT_MARK;

	if (text && parse_u64("SOCKWAKE_MARK", text, 1, UINT32_MAX, &mark, err) < 0)
		return -1;
	*ret = (unsigned)mark;
	return 0;
}
