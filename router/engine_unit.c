#include "router/engine_unit.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "router/endpoint.h"

#define ANSWER_MSEC 2000

extern char **environ;

const char *engine_unit_name(enum engine_kind kind)
{
	return kind == ENGINE_DOCKER ? "docker.service" : "podman.socket";
}

bool engine_unit_is_installed(enum engine_kind kind, const char *home)
{
	static const char *const below_home[] = {".config/systemd/user", ".local/share/systemd/user"};
	static const char *const everybody[] = {"/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user",
						"/usr/lib/systemd/user", "/lib/systemd/user"};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(below_home) / sizeof(*below_home); i++) {
		if (snprintf(path, sizeof(path), "%s/%s/%s", home, below_home[i], engine_unit_name(kind)) <
			    (int)sizeof(path) &&
		    access(path, F_OK) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(everybody) / sizeof(*everybody); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", everybody[i], engine_unit_name(kind));
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* Reads until the end, or until the time is over. */
static size_t read_answer(int fd, char *ret, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t n = 0;

	while (n + 1 < size && poll(&p, 1, ANSWER_MSEC) == 1) {
		ssize_t r = read(fd, ret + n, size - 1 - n);

		if (r <= 0)
			break;
		n += (size_t)r;
	}
	ret[n] = '\0';
	return n;
}

/* An engine that does not answer is not idle. */
static bool is_idle(int fd)
{
	static const char request[] = "GET /containers/json HTTP/1.0\r\nHost: docker\r\n\r\n";
	char answer[4096];
	const char *body;

	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(request) - 1)
		return false;
	(void)read_answer(fd, answer, sizeof(answer));
	body = strstr(answer, "\r\n\r\n");
	return strncmp(answer, "HTTP/1.", 7) == 0 && strncmp(answer + 8, " 200", 4) == 0 && body &&
	       strncmp(body + 4, "[]", 2) == 0;
}

/* The job is not awaited. */
static void stop(enum engine_kind kind)
{
	const char *argv[] = {"systemctl", "--user", "--quiet", "--no-block", "stop", engine_unit_name(kind), NULL};
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ) == 0)
		(void)waitpid(pid, NULL, 0);
}

bool engine_unit_release(enum engine_kind kind, uid_t uid)
{
	_cleanup_close_ int directory = -1, fd = -1;
	struct error err;

	if (kind == ENGINE_PODMAN)
		return true; /* a socket costs nothing, and its service ends by itself */
	directory = endpoint_directory("/run/user", uid, &err);
	fd = directory < 0 ? -1 : endpoint_connect(directory, kind, uid, &err);
	if (fd < 0)
		return true; /* it has ended, or is not what was started */
	if (!is_idle(fd))
		return false;
	stop(kind);
	return true;
}
