#include "backends/engine.h"

#include <errno.h>
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

int engine_check_socket(enum scope scope, const char *socket, struct error *err)
{
	const struct passwd *owner;
	struct stat st;

	if (scope != SCOPE_SYSTEM || stat(socket, &st) < 0 || st.st_uid == 0)
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
