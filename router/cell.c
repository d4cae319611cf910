#include "router/cell.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

#define CGROUPS "/sys/fs/cgroup"

static char group[PATH_MAX]; /* of the service; "": it cannot be divided */

/* What a worker may need at most: a megabyte of its own, what the kernel keeps for its sockets, and systemctl(1). */
static const struct {
	const char *file, *value;
} limits[] = {
	{"memory.max", "256M"},
	{"pids.max", "64"},
};

static int write_file(const char *directory, const char *file, const char *value)
{
	char path[PATH_MAX];
	_cleanup_close_ int fd = -1;

	if (snprintf(path, sizeof(path), "%s/%s", directory, file) >= (int)sizeof(path))
		return -1;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value) ? 0 : -1;
}

/* The line "0::/PATH" of /proc/self/cgroup. */
static int own_group(char ret[static PATH_MAX])
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX];

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		return snprintf(ret, PATH_MAX, CGROUPS "%s", line + 3) < PATH_MAX ? 0 : -1;
	}
	return -1;
}

/* Fails where the group is not ours. */
static int move_into(const char *name, char ret[static PATH_MAX])
{
	if (snprintf(ret, PATH_MAX, "%s/%s", group, name) >= PATH_MAX || (mkdir(ret, 0755) < 0 && errno != EEXIST))
		return -1;
	return write_file(ret, "cgroup.procs", "0");
}

/* One that is not delegated does not keep the others away. */
static void enable_controllers(void)
{
	static const char *const controllers[] = {"+cpu", "+memory", "+pids"};

	for (size_t i = 0; i < sizeof(controllers) / sizeof(*controllers); i++)
		(void)write_file(group, "cgroup.subtree_control", controllers[i]);
}

void cell_open(void)
{
	char path[PATH_MAX];

	if (own_group(group) < 0 || move_into("dispatcher", path) < 0)
		*group = '\0';
	else
		enable_controllers();
}

static void name_cell(uid_t uid, char ret[static 32])
{
	(void)snprintf(ret, 32, "user-%u", (unsigned)uid);
}

void cell_enter(uid_t uid, bool limited)
{
	char name[32], path[PATH_MAX];

	if (!*group)
		return;
	name_cell(uid, name);
	if (move_into(name, path) < 0)
		return;
	for (size_t i = 0; limited && i < sizeof(limits) / sizeof(*limits); i++)
		(void)write_file(path, limits[i].file, limits[i].value);
}

void cell_leave(uid_t uid)
{
	char name[32], path[PATH_MAX];

	if (!*group)
		return;
	name_cell(uid, name);
	if (snprintf(path, sizeof(path), "%s/%s", group, name) < (int)sizeof(path))
		(void)rmdir(path);
}
