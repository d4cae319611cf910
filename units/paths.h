/* The places and names of an instance's files. */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "common/error.h"
#include "instance/scope.h"

/* The directory of the unit files that a scope's administrator or user writes (systemd.unit(5), "Unit File Load
 * Path"): /etc/systemd/system, or $XDG_CONFIG_HOME/systemd/user, or ~/.config/systemd/user. */
int unit_directory(enum scope scope, char ret[static PATH_MAX], struct error *err);

/* The same for the files of Quadlet (podman-systemd.unit(5)): /etc/containers/systemd, or containers/systemd of the
 * user's configuration. */
int quadlet_directory(enum scope scope, char ret[static PATH_MAX], struct error *err);

/* A user's own directory of this name: in $XDG_CONFIG_HOME or ~/.config. */
int configuration_directory(const char *directory, char ret[static PATH_MAX], struct error *err);

/* /run/sockwake or $XDG_RUNTIME_DIR/sockwake; without that variable /run/user/UID/sockwake. */
int runtime_directory_find(enum scope scope, char ret[static PATH_MAX], struct error *err);

/* The file about one container of an engine (backends/volumes.h): its name is the FNV-1a 64 of the engine's socket
 * (links resolved), a newline and the container's name. */
int volumes_path(enum scope scope, enum backend_kind kind, const char *engine_socket, const char *container,
		 char ret[static PATH_MAX], struct error *err);

/* The name of a unit has at most 255 bytes. */
#define UNIT_NAME_MAX  256
#define SOCKETS_WANTS  "sockets.target.wants" /* links in this directory enable sockets */
#define SOCKET_SUFFIX  ".socket"
#define SERVICE_SUFFIX ".service"
#define TIMER_SUFFIX   ".timer"
#define ENGINES_TARGET "sockwake-engines.target" /* between instances and their engines: packaging/ */
#define LEGACY_SUFFIX  "-proxy.service"		 /* the second service of instances of the original tool */
const char *unit_name(const char *instance, const char *suffix, char ret[static UNIT_NAME_MAX]);
