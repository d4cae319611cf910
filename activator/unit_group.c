#include "activator/unit_group.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activator/conmon.h"
#include "common/cleanup.h"
#include "common/io.h"

#define FILE_SIZE (64U << 10)

static bool read_file(const char *proc, pid_t pid, const char *name, char **ret)
{
	struct error ignored;
	char path[128];

	snprintf(path, sizeof(path), "%s/%d/%s", proc, pid, name);
	return file_read(AT_FDCWD, path, FILE_SIZE, ret, NULL, &ignored) == 0;
}

/* Does a path of control groups lead through the unit's? */
static bool leads_through(const char *group, const char *unit)
{
	size_t len = strlen(unit);

	for (const char *p = strchr(group, '/'); p; p = strchr(p + 1, '/')) {
		if (strncmp(p + 1, unit, len) == 0 && (p[1 + len] == '/' || p[1 + len] == '\0'))
			return true;
	}
	return false;
}

struct search {
	const char *group;
	bool found;
};

static void compare(void *data, const char *name)
{
	struct search *s = data;

	s->found |= leads_through(s->group, name);
}

/* The group has one of the names that the unit has. */
static bool has(struct unit *u, const char *unit, const char *proc, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char group[4096];
	struct search s = {.group = group};
	struct error ignored;

	if (!read_file(proc, pid, "cgroup", &text) || !conmon_group(text, group, sizeof(group)))
		return false;
	compare(&s, unit);
	if (!s.found)
		(void)unit_each(u, unit, "Names", compare, &s, &ignored);
	return s.found;
}

static pid_t parent(const char *proc, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	const char *line;

	if (!read_file(proc, pid, "status", &text))
		return 0;
	line = strstr(text, "\nPPid:");
	return line ? (pid_t)strtol(line + strlen("\nPPid:"), NULL, 10) : 0;
}

bool unit_group_has(struct unit *u, const char *unit, const char *proc, pid_t pid)
{
	pid_t monitor;

	if (pid <= 1)
		return false;
	if (has(u, unit, proc, pid))
		return true;
	monitor = parent(proc, pid);
	return monitor > 1 && has(u, unit, proc, monitor);
}
