#include "router/system_engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"

int system_engine_connect(const char *path, int flags, struct error *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(err, ENAMETOOLONG, "the path '%s' is too long for a socket", path);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0)
		return error_errno(err, errno, "cannot open a socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return steal_fd(&fd);
	if (errno == EAGAIN)
		return error_errno(err, EAGAIN, "the queue of '%s' is full", path);
	return error_set(err, EHOSTDOWN, "the system's engine does not answer at %s (%s): sudo sockwake router status",
			 path, strerror(errno));
}
