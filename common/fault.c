#include "common/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS_MAX 4

/* "POINT=SOCKET,POINT=SOCKET" */
static const char *first(void)
{
	return getenv("SOCKWAKE_FAULTS");
}

static const char *next(const char *entry)
{
	const char *comma = strchr(entry, ',');

	return comma ? comma + 1 : NULL;
}

static int socket_of(const char *point)
{
	size_t len = strlen(point);

	for (const char *entry = first(); entry; entry = next(entry)) {
		if (strncmp(entry, point, len) == 0 && entry[len] == '=')
			return atoi(entry + len + 1);
	}
	return -1;
}

/* Uses only system calls that the proxy also makes in a release: the filter allows no others (confine/syscalls). */
static void stand(int fd)
{
	char who[32], go;
	ssize_t n = snprintf(who, sizeof(who), "%d %d", getpid(), gettid());

	if (send(fd, who, (size_t)n, MSG_NOSIGNAL) != n)
		return;
	do {
		n = read(fd, &go, 1);
	} while (n < 0 && errno == EINTR);
}

void fault_reach(const char *point)
{
	int fd = socket_of(point), saved = errno;

	if (fd >= 0)
		stand(fd);
	errno = saved;
}

size_t fault_sockets(int *ret)
{
	size_t n = 0;

	for (const char *entry = first(); entry && n < SOCKETS_MAX; entry = next(entry)) {
		if (strchr(entry, '='))
			ret[n++] = atoi(strchr(entry, '=') + 1);
	}
	return n;
}
