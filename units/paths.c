#include "units/paths.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/hash.h"
#include "common/io.h"
#include "common/path.h"
#include "instance/instance.h"

static int home_directory(char ret[static PATH_MAX], struct error *err)
{
	const char *home = path_from_variable("HOME");
	const struct passwd *pw = home ? NULL : getpwuid(geteuid());

	if (pw)
		home = pw->pw_dir;
	if (!home)
		return error_set(err, ENOENT, "this user has no home directory: set HOME or XDG_CONFIG_HOME");
	return path_print(ret, "%s", err, home);
}

int configuration_directory(const char *directory, char ret[static PATH_MAX], struct error *err)
{
	const char *base = path_from_variable("XDG_CONFIG_HOME");
	char home[PATH_MAX];

	if (base)
		return path_print(ret, "%s/%s", err, base, directory);
	return home_directory(home, err) < 0 ? -1 : path_print(ret, "%s/.config/%s", err, home, directory);
}

int unit_directory(enum scope scope, char ret[static PATH_MAX], struct error *err)
{
	if (scope == SCOPE_SYSTEM)
		return path_print(ret, "%s", err, "/etc/systemd/system");
	return configuration_directory("systemd/user", ret, err);
}

int quadlet_directory(enum scope scope, char ret[static PATH_MAX], struct error *err)
{
	if (scope == SCOPE_SYSTEM)
		return path_print(ret, "%s", err, "/etc/containers/systemd");
	return configuration_directory("containers/systemd", ret, err);
}

/* The directory that survives a reboot: $STATE_DIRECTORY, else /var/lib/sockwake or ~/.local/state/sockwake. Not
 * $XDG_STATE_HOME: commands and units must use the same directory, and their environments may differ. */
static int state_directory(enum scope scope, char ret[static PATH_MAX], struct error *err)
{
	const char *given = path_from_variable("STATE_DIRECTORY");
	char home[PATH_MAX];

	if (given) /* the first of a list (systemd.exec(5)) */
		return path_print(ret, "%.*s", err, (int)strcspn(given, ":"), given);
	if (scope == SCOPE_SYSTEM)
		return path_print(ret, "%s", err, "/var/lib/sockwake");
	return home_directory(home, err) < 0 ? -1 : path_print(ret, "%s/.local/state/sockwake", err, home);
}

int volumes_path(enum scope scope, enum backend_kind kind, const char *engine_socket, const char *container,
		 char ret[static PATH_MAX], struct error *err)
{
	char directory[PATH_MAX], file[64], real[PATH_MAX];
	uint64_t hash = fnv1a(fnv1a(fnv1a(FNV1A_BASIS, path_resolve(engine_socket, real)), "\n"), container);

	if (state_directory(scope, directory, err) < 0)
		return -1;
	snprintf(file, sizeof(file), "%s-%016llx.volumes", backend_kind_name(kind), (unsigned long long)hash);
	return path_join(directory, file, ret, err);
}

int runtime_directory_find(enum scope scope, char ret[static PATH_MAX], struct error *err)
{
	char base[PATH_MAX];

	if (scope == SCOPE_SYSTEM)
		return path_print(ret, "%s", err, "/run/sockwake");
	if (path_user_runtime(base, err) < 0)
		return -1;
	return path_join(base, "sockwake", ret, err);
}

const char *unit_name(const char *instance, const char *suffix, char ret[static UNIT_NAME_MAX])
{
	snprintf(ret, UNIT_NAME_MAX, "%s%s", instance, suffix);
	return ret;
}
