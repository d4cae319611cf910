#include "units/sweep.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/parse.h"
#include "common/path.h"
#include "units/drop_in.h"
#include "units/own_file.h"
#include "units/paths.h"
#include "units/store.h"

#define DROP_IN_PREFIX "sockwake-"
#define DROP_IN_SUFFIX ".conf"

/* "PREFIX" NAME "SUFFIX" → NAME, if it is a valid instance name. */
static bool take_name(const char *file, const char *prefix, const char *suffix, char ret[static UNIT_NAME_MAX])
{
	size_t len = strlen(file), before = strlen(prefix), after = strlen(suffix);

	if (len <= before + after || strncmp(file, prefix, before) != 0 || strcmp(file + len - after, suffix) != 0)
		return false;
	snprintf(ret, UNIT_NAME_MAX, "%.*s", (int)(len - before - after), file + before);
	return instance_name_is_valid(ret);
}

static bool is_missing(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 && errno == ENOENT;
}

static bool has_socket(const char *directory, const char *name)
{
	char file[UNIT_NAME_MAX], path[PATH_MAX];
	struct error ignored;

	return path_join(directory, unit_name(name, SOCKET_SUFFIX, file), path, &ignored) < 0 || !is_missing(path);
}

/* Nobody else writes there: the caller holds the lock of the unit directory. */
static void sweep_temporary(int directory, const char *file)
{
	if (file_is_temporary(directory, file, 0))
		(void)unlinkat(directory, file, 0);
}

/* One entry of the unit directory. */
static bool sweep_unit(const char *directory, const char *path, const char *file)
{
	char name[UNIT_NAME_MAX];

	return (take_name(file, "", SERVICE_SUFFIX, name) || take_name(file, "", TIMER_SUFFIX, name)) &&
	       !has_socket(directory, name) && store_is_part(path, name) && unlink(path) == 0;
}

/* One entry of sockets.target.wants: our links lead to NAME.socket in the unit directory. */
static bool sweep_link(const char *directory, const char *path, const char *file)
{
	char name[UNIT_NAME_MAX], socket[PATH_MAX], target[PATH_MAX];
	struct error ignored;
	ssize_t n;

	if (!take_name(file, "", SOCKET_SUFFIX, name) || path_join(directory, file, socket, &ignored) < 0)
		return false;
	n = readlink(path, target, sizeof(target));
	return n == (ssize_t)strlen(socket) && memcmp(target, socket, (size_t)n) == 0 && is_missing(socket) &&
	       unlink(path) == 0;
}

/* One drop-in of a Quadlet, of a current or former instance of the unit directory. */
static bool sweep_drop_in(const char *units, const char *path, const char *file)
{
	_cleanup_stored_ struct stored s = {};
	char name[UNIT_NAME_MAX];
	struct error ignored;

	if (!take_name(file, DROP_IN_PREFIX, DROP_IN_SUFFIX, name))
		return false;
	if (has_socket(units, name) && (store_read(units, name, &s, &ignored) < 0 || s.problem ||
					(s.instance.drop_in && strcmp(s.instance.drop_in, path) == 0)))
		return false;
	return drop_in_remove(path, &ignored) == 0 && is_missing(path);
}

static size_t each(const char *directory, const char *units,
		   bool (*sweep)(const char *units, const char *path, const char *file))
{
	_cleanup_dir_ DIR *dir = opendir(directory);
	char path[PATH_MAX];
	struct error ignored;
	struct dirent *e;
	size_t n = 0;

	while (dir && (e = readdir(dir))) {
		sweep_temporary(dirfd(dir), e->d_name);
		n += path_join(directory, e->d_name, path, &ignored) == 0 && sweep(units, path, e->d_name);
	}
	return n;
}

static size_t sweep_quadlets(const char *directory, const char *units)
{
	_cleanup_dir_ DIR *dir = opendir(directory);
	char path[PATH_MAX];
	struct error ignored;
	struct dirent *e;
	size_t n = 0;

	while (dir && (e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		sweep_temporary(dirfd(dir), e->d_name);
		if (len > 2 && strcmp(e->d_name + len - 2, ".d") == 0 &&
		    path_join(directory, e->d_name, path, &ignored) == 0)
			n += each(path, units, sweep_drop_in);
	}
	return n;
}

size_t units_sweep(enum scope scope, const char *directory)
{
	char path[PATH_MAX];
	struct error ignored;
	size_t n = each(directory, directory, sweep_unit);

	if (path_join(directory, SOCKETS_WANTS, path, &ignored) == 0) {
		n += each(path, directory, sweep_link);
		(void)rmdir(path); /* succeeds if it is empty */
	}
	if (quadlet_directory(scope, path, &ignored) == 0)
		n += sweep_quadlets(path, directory);
	return n;
}
