/* The unit of a user's manager that starts a user's engine: docker.service, as rootless docker.socket does not work
 * (moby#42078), or podman.socket. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "router/config.h"

const char *engine_unit_name(enum engine_kind kind);

/* Is there such a unit for the user with this home directory? (systemd.unit(5), "User Unit Search Path".) */
bool engine_unit_is_installed(enum engine_kind kind, const char *home);

/* Is it enabled, by the user or for all users, so that the user's manager starts it? */
bool engine_unit_is_enabled(enum engine_kind kind, const char *home);

/* Stops the engine of this user, which this process is, if no container of it runs; returns whether it need not be asked
 * again. */
bool engine_unit_release(enum engine_kind kind, uid_t uid);
