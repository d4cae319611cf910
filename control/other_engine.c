/* Docker is the default for the system and Podman for a user; either may not be installed. */
#include "control/other_engine.h"

#include <errno.h>
#include <unistd.h>

#include "backends/engine.h"

static bool is_installed(const struct backend *b)
{
	return access(b->program, X_OK) == 0;
}

/* A user's Docker is an engine of its own. */
static bool has_own_engine(enum backend_kind kind, enum scope scope)
{
	char socket[ENGINE_SOCKET_MAX];
	struct error ignored;

	return scope == SCOPE_SYSTEM || engine_backend(kind)->has_quadlets ||
	       (engine_find_socket(kind, scope, NULL, socket, &ignored) == 0 && access(socket, F_OK) == 0 &&
		engine_check_socket(scope, socket, &ignored) == 0);
}

void other_engine_mention(enum backend_kind assumed, enum scope scope, struct error *err)
{
	const struct backend *b = engine_backend(assumed), *other = engine_other(assumed);
	bool absent = err->code == ENOTCONN && !is_installed(b);
	struct error why = *err;

	if ((why.code != ENOENT && why.code != ENOTCONN) || !is_installed(other))
		return;
	if (!has_own_engine(other == &docker_backend ? BACKEND_DOCKER : BACKEND_PODMAN, scope)) {
		if (absent)
			error_set(
				err, why.code,
				"%s, the default for a user, is not installed here; %s's containers are root's: use sudo",
				b->title, other->title);
		return;
	}
	if (absent)
		error_set(err, why.code, "%s, the default, is not installed here, and %s is: add --backend %s",
			  b->title, other->title, other->name);
	else
		error_set(err, why.code, "%.900s; for one of %s's, add --backend %s", why.text, other->title,
			  other->name);
}
