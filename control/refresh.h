/* `sockwake refresh`: rewrites the units of instances after another version of the programs was installed.
 *
 * Running instances keep running: files are replaced and the manager reloads, but no service is stopped, nor a socket
 * whose service runs, with clients in its backlog. The socket of a sleeping instance is restarted if its settings have
 * changed. A socket that systemd has closed, for example because programs were missing, is opened.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "instance/instance.h"
#include "units/manager.h"

/* Refreshes the named instances (NULL-terminated); NULL: all of the scope. accept_volumes: accepts the current volumes
 * of their containers. Notes changes and failures (note.h). */
int refresh_instances(enum scope scope, char *const *names, bool accept_volumes, struct error *err);

/* Writes the units of an instance that replaces `old`, which has the same container and sockets. After a failure the
 * old files are back. */
int refresh_install(struct manager *m, const char *directory, const struct instance *old, const struct instance *i,
		    struct error *err);
