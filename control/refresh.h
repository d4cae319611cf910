/* `sockwake refresh`: the units of instances anew, after another version of the programs was installed.
 *
 * What runs goes on running: the files are replaced and the manager reads them, but no service is stopped, and no socket
 * whose service runs, with clients in its queue, either. A socket that sleeps is started again when what it listens with
 * has changed, and one that systemd has closed, because programs were missing for example, is opened.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "instance/scope.h"

/* Those that are named, NULL-terminated; NULL: all of the scope. accept_volumes: what volumes their containers have by now is
 * right. What was done is noted (note.h), and what could not be done, too. */
int refresh_instances(enum scope scope, char *const *names, bool accept_volumes, struct error *err);
