/* The two words that name an engine. Both backends/ and units/ need them. */
#pragma once

#include <unistd.h>

enum scope { SCOPE_SYSTEM, SCOPE_USER };
enum backend_kind { BACKEND_DOCKER, BACKEND_PODMAN };

/* The scope of the caller: root's is the system. */
static inline enum scope scope_default(void)
{
	return geteuid() == 0 ? SCOPE_SYSTEM : SCOPE_USER;
}

static inline enum backend_kind backend_kind_default(enum scope scope)
{
	return scope == SCOPE_SYSTEM ? BACKEND_DOCKER : BACKEND_PODMAN;
}
