#include "activator/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/path.h"
#include "handover/environment.h"
#include "units/paths.h"

int runtime_directory(enum scope scope, char ret[static PATH_MAX], struct error *err)
{
	const char *given = getenv("RUNTIME_DIRECTORY");
	const char *base = getenv("XDG_RUNTIME_DIR");
	int n;

	if (given && *given) /* the first of a list (systemd.exec(5)) */
		n = snprintf(ret, PATH_MAX, "%.*s", (int)strcspn(given, ":"), given);
	else if (scope == SCOPE_SYSTEM)
		n = snprintf(ret, PATH_MAX, "/run/sockwake");
	else if (base && *base)
		n = snprintf(ret, PATH_MAX, "%s/sockwake", base);
	else
		n = snprintf(ret, PATH_MAX, "/run/user/%u/sockwake", geteuid());
	if (n >= PATH_MAX || ret[0] != '/')
		return error_set(err, EINVAL, "the runtime directory '%s' is not an absolute path", ret);
	return directory_make(ret, 0755, err);
}

int runtime_file(enum scope scope, const char *file, char ret[static PATH_MAX], struct error *err)
{
	char directory[PATH_MAX];

	return runtime_directory(scope, directory, err) < 0 ? -1 : path_join(directory, file, ret, err);
}

/* Run by hand, or after a killed keeper: reads the file that the last keeper has left. */
static void read_file_of(const struct options *o, struct stats *ret)
{
	struct error ignored;
	char path[PATH_MAX], file[300];

	snprintf(file, sizeof(file), "%s.stats", o->name);
	if (runtime_file(o->scope, file, path, &ignored) < 0 || stats_read(path, ret, &ignored) < 0)
		*ret = (struct stats){};
}

struct stats *runtime_stats(const struct options *o)
{
	static struct stats alone;
	struct error ignored;
	struct stats *shared;
	int fd;

	if (environment_fd(VARIABLE_STATS, &fd, &ignored) == 0 && fd >= 0 && (shared = stats_map(fd, false, &ignored)))
		return shared;
	read_file_of(o, &alone);
	return &alone;
}
