#include "backends/engine.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/backend.h"
#include "backends/transport/http.h"
#include "backends/transport/transport.h"
#include "common/clock.h"
#include "common/parse.h"

static int take_path(const char *path, const char *from, char ret[static ENGINE_SOCKET_MAX], struct error *err)
{
	if (!path_is_valid(path) || strlen(path) >= ENGINE_SOCKET_MAX)
		return error_set(err, EINVAL, "the engine's socket '%s'%s is not an absolute path of at most %zu bytes",
				 path, from, ENGINE_SOCKET_MAX - 1);
	strcpy(ret, path);
	return 0;
}

const struct backend *engine_backend(enum backend_kind kind)
{
	static const struct backend *const backends[] = {
		[BACKEND_DOCKER] = &docker_backend,
		[BACKEND_PODMAN] = &podman_backend,
	};

	return backends[kind];
}

int engine_find_socket(enum backend_kind kind, enum scope scope, const char *path, char ret[static ENGINE_SOCKET_MAX],
		       struct error *err)
{
	const char *variable = engine_backend(kind)->host_variable, *file = engine_backend(kind)->socket_file;
	const char *host = getenv(variable);
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char s[4096];

	if (path && *path)
		return take_path(path, "", ret, err);
	if (host && *host) {
		if (strncmp(host, "unix://", 7) != 0)
			return error_set(err, EINVAL,
					 "%s is '%s', but only an engine on this machine can wake a container here: "
					 "unset it or set it to unix:///PATH",
					 variable, host);
		snprintf(s, sizeof(s), " (from %s)", variable);
		return take_path(host + 7, s, ret, err);
	}
	if (scope == SCOPE_SYSTEM)
		snprintf(s, sizeof(s), "/run/%s", file);
	else if (runtime && *runtime)
		snprintf(s, sizeof(s), "%s/%s", runtime, file);
	else
		snprintf(s, sizeof(s), "/run/user/%u/%s", geteuid(), file);
	return take_path(s, scope == SCOPE_USER && runtime ? " (from XDG_RUNTIME_DIR)" : "", ret, err);
}

const struct backend *engine_other(enum backend_kind kind)
{
	return engine_backend(kind == BACKEND_DOCKER ? BACKEND_PODMAN : BACKEND_DOCKER);
}

/* Does another path lead to the same socket? */
static bool is_usual_socket(const struct stat *st)
{
	struct stat usual;
	char path[64];

	for (int kind = BACKEND_DOCKER; kind <= BACKEND_PODMAN; kind++) {
		snprintf(path, sizeof(path), "/run/%s", engine_backend(kind)->socket_file);
		if (stat(path, &usual) == 0 && usual.st_dev == st->st_dev && usual.st_ino == st->st_ino)
			return true;
	}
	return false;
}

/* A member of the group 'docker' may tell Docker to start a container, but nshelper cannot enter it. A socket that is
 * everybody's may be a relay to the user's own engine. */
static int check_for_user(const char *socket, const struct stat *st, struct error *err)
{
	const struct group *g;

	if (geteuid() == 0 || st->st_uid != 0 || ((st->st_mode & S_IWOTH) && !is_usual_socket(st)))
		return 0;
	g = st->st_gid ? getgrgid(st->st_gid) : NULL;
	return error_set(
		err, EPERM,
		"'%s' is root's engine: a service of this user may not enter its containers%s%s%s; do this as root "
		"('sudo sockwake …')",
		socket, g ? ", not even as a member of the group '" : "", g ? g->gr_name : "", g ? "'" : "");
}

int engine_check_socket(enum scope scope, const char *socket, struct error *err)
{
	const struct passwd *owner;
	struct stat st;

	if (stat(socket, &st) < 0 || !S_ISSOCK(st.st_mode)) /* no engine: connecting tells more */
		return 0;
	if (scope == SCOPE_USER)
		return check_for_user(socket, &st, err);
	if (st.st_uid == 0)
		return 0;
	owner = getpwuid(st.st_uid);
	return error_set(
		err, EPERM,
		"'%s' is the engine of the user %s, which a service of the system cannot use: do this as that user "
		"('sudo -u %s XDG_RUNTIME_DIR=/run/user/%u sockwake …')",
		socket, owner ? owner->pw_name : "who owns it", owner ? owner->pw_name : "NAME", st.st_uid);
}

int engine_open(enum backend_kind kind, enum scope scope, const char *path, struct engine **ret, struct error *err)
{
	_cleanup_engine_ struct engine *e = calloc(1, sizeof(*e));

	if (!e)
		return error_errno(err, ENOMEM, "cannot connect to the engine");
	e->backend = engine_backend(kind);
	e->transport = &unix_transport;
	e->scope = scope;
	e->deadline = USEC_INFINITY;
	if (engine_find_socket(kind, scope, path, e->socket, err) < 0)
		return -1;
	if (http_open(e->transport, e->socket, &e->http, err) < 0)
		return -1;
	*ret = steal_ptr(&e);
	return 0;
}

void engine_close(struct engine **e)
{
	if (!*e)
		return;
	http_close(&(*e)->http);
	free_ptr(e);
}
