#include "router/engine_unit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/spawn.h"
#include "router/ask.h"
#include "router/endpoint.h"

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

bool engine_unit_is_enabled(enum engine_kind kind, const char *home)
{
	static const char *const targets[] = {"default.target.wants", "sockets.target.wants"};
	char path[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		if ((snprintf(path, sizeof(path), "%s/.config/systemd/user/%s/%s", home, targets[i],
			      engine_unit_name(kind)) < (int)sizeof(path) &&
		     lstat(path, &st) == 0) ||
		    (snprintf(path, sizeof(path), "/etc/systemd/user/%s/%s", targets[i], engine_unit_name(kind)) <
			     (int)sizeof(path) &&
		     lstat(path, &st) == 0))
			return true;
	}
	return false;
}

/* An engine that does not answer is not idle. */
static bool is_idle(int fd)
{
	char answer[4096];
	struct error ignored;

	return ask_engine(fd, "/containers/json", answer, sizeof(answer), &ignored) == 0 &&
	       strncmp(answer, "[]", 2) == 0;
}

/* The job is not awaited. */
static void stop(enum engine_kind kind)
{
	const char *argv[] = {"systemctl", "--user", "--quiet", "--no-block", "stop", engine_unit_name(kind), NULL};
	pid_t pid;

	if (spawn(&(struct spawn){.argv = argv, .output = SPAWN_NOWHERE, .errors = SPAWN_NOWHERE}, &pid) == 0)
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
