/* May a container of the system's engine use that engine? Its name tells, which the engine knows: so a worker asks that may
 * open the engine's socket. */
#pragma once

#include "common/error.h"
#include "router/config.h"

/* Who is at the other end, as dispatcher and worker write it: "uid-1000", or "container-ID-UID". */
#define OWNER_MAX 128
void owner_of_user(uid_t uid, char ret[static OWNER_MAX]);
void owner_of_container(const char *id, uid_t uid, char ret[static OWNER_MAX]);

/* Fails with EPERM and a sentence for a container that the configuration does not name; other owners are admitted. */
int admission_check(const struct config *c, const char *engine_socket, const char *owner, struct error *err);
