/* The socket of a user's own engine, opened by a process that is that user.
 *
 * /run/user/UID belongs to the user, who may plant in it what he likes. So nothing on the way below it may be a link or
 * another mount (openat2(2)), and who listens (SO_PEERCRED, unix(7)) must be the user: not root's engine, not another
 * user's, not this router.
 */
#pragma once

#include <sys/types.h>

#include "common/error.h"
#include "router/config.h"

/* Opens the runtime directory of this user below `parent` ("/run/user"). Codes: ENOENT there is none; others: it cannot be
 * trusted. */
int endpoint_directory(const char *parent, uid_t uid, struct error *err);

/* Connects without blocking; returns the socket. Codes: ENOENT, ECONNREFUSED nothing listens; EAGAIN its queue is full; EPERM
 * it is not the user's; others. */
int endpoint_connect(int directory, enum engine_kind kind, uid_t uid, struct error *err);
