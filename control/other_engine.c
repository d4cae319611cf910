/* Docker is the default for the system and Podman for a user; either may not be installed. */
#include "control/other_engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
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

/* Does root's Docker listen, for a user who has none? Its socket's group lets some users in. */
static bool only_root_has(enum backend_kind kind, enum scope scope)
{
	char path[ENGINE_SOCKET_MAX];

	snprintf(path, sizeof(path), "/run/%s", engine_backend(kind)->socket_file);
	return !has_own_engine(kind, scope) && access(path, F_OK) == 0;
}

/* The engine was named, but the one of this user is not there. */
static void mention_roots(const struct instance *i, struct error *err)
{
	const struct backend *b = engine_backend(i->backend);
	char own[ENGINE_SOCKET_MAX];
	struct error why = *err, ignored;

	if (err->code == ENOTCONN && only_root_has(i->backend, i->scope) && i->engine_socket &&
	    engine_find_socket(i->backend, i->scope, NULL, own, &ignored) == 0 && strcmp(own, i->engine_socket) == 0)
		error_set(
			err, ENOTCONN,
			"%.900s, if this user has a %s of their own; the containers of the one that runs here are root's: use sudo",
			why.text, b->title);
}

static void mention_other(enum backend_kind assumed, enum scope scope, struct error *err)
{
	const struct backend *b = engine_backend(assumed), *other = engine_other(assumed);
	enum backend_kind kind = other == &docker_backend ? BACKEND_DOCKER : BACKEND_PODMAN;
	bool absent = err->code == ENOTCONN && !is_installed(b);
	struct error why = *err;

	if ((why.code != ENOENT && why.code != ENOTCONN) || !is_installed(other))
		return;
	if (!has_own_engine(kind, scope)) {
		if (!absent && only_root_has(kind, scope))
			error_set(err, why.code, "%.900s; %s's containers are root's: use sudo for one of those",
				  why.text, other->title);
		else if (absent)
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

void other_engine_mention(const struct instance *i, bool assumed, struct error *err)
{
	if (i->unit && err->code == ENOENT) /* what is missing is a unit, or what it runs */
		return;
	if (assumed)
		mention_other(i->backend, i->scope, err);
	else
		mention_roots(i, err);
}
