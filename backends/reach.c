/* Which containers see the host's processes. The engine tells the PID mode and the mounts. These do not show that a
 * container is in the PID namespace of another, or that a volume is the host's /proc. The container's first process
 * shows both, and can hide only the mount: so both sources are checked. */
#include "backends/reach.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "instance/health_check.h"

struct mount {
	dev_t device;
	char path[PATH_MAX];
};

/* All programs of an installation have the same owner. */
static bool programs_are_own(void)
{
	struct stat st;

	return geteuid() != 0 && stat("/proc/self/exe", &st) == 0 && st.st_uid == geteuid();
}

bool reach_matters(const char *health_check)
{
	return health_check_is_command(health_check) || programs_are_own();
}

/* Decodes "\040" and the like (proc_pid_mountinfo(5)), in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* Reads the next file system of type proc: "ID PARENT MAJOR:MINOR ROOT PATH OPTIONS [FIELDS] - TYPE …". */
static bool next_proc(FILE *f, char **line, size_t *size, struct mount *ret)
{
	while (getline(line, size, f) > 0) {
		const char *type = strstr(*line, " - ");
		unsigned major, minor;

		if (!type || strncmp(type, " - proc ", 8) != 0 ||
		    sscanf(*line, "%*d %*d %u:%u %*s %4095s", &major, &minor, ret->path) != 3)
			continue;
		unescape(ret->path);
		ret->device = makedev(major, minor);
		return true;
	}
	return false;
}

static FILE *open_mounts(const char *proc, const char *process)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s/mountinfo", proc, process);
	return fopen(path, "re");
}

static bool is_at_or_below(const char *path, const char *directory)
{
	size_t len = strlen(directory);

	return strcmp(directory, "/") == 0 ||
	       (strncmp(path, directory, len) == 0 && (path[len] == '\0' || path[len] == '/'));
}

/* Does this path of the host lead to a /proc, or to a directory above one? */
static bool leads_to_proc(const char *proc, const char *source)
{
	_cleanup_fclose_ FILE *f = open_mounts(proc, "self");
	_cleanup_free_ char *line = NULL, *real = realpath(source, NULL);
	struct mount m;
	size_t size = 0;

	if (real)
		source = real;
	while (f && next_proc(f, &line, &size, &m)) {
		if (is_at_or_below(m.path, source) || is_at_or_below(source, m.path))
			return true;
	}
	return !f;
}

/* Does it have a second /proc, or one that is the host's? */
static bool has_foreign_proc(const char *proc, const char *pid)
{
	_cleanup_fclose_ FILE *f = open_mounts(proc, pid);
	_cleanup_free_ char *line = NULL;
	dev_t own = 0;
	struct stat host;
	struct mount m;
	size_t size = 0;

	if (!f || stat(proc, &host) < 0)
		return true;
	while (next_proc(f, &line, &size, &m)) {
		if (own == 0 && strcmp(m.path, "/proc") == 0)
			own = m.device;
		if (m.device != own || m.device == host.st_dev)
			return true;
	}
	return false;
}

static bool is_in_our_pid_namespace(const char *proc, const char *pid)
{
	struct stat its, own;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s/ns/pid", proc, pid);
	if (stat(path, &its) < 0)
		return true;
	snprintf(path, sizeof(path), "%s/self/ns/pid", proc);
	return stat(path, &own) < 0 || (its.st_dev == own.st_dev && its.st_ino == own.st_ino);
}

static bool sees_host_processes(const char *proc, const struct container *c)
{
	char pid[16];

	if (c->host_pid)
		return true;
	for (char **s = c->mounted; s && *s; s++) {
		if (leads_to_proc(proc, *s))
			return true;
	}
	snprintf(pid, sizeof(pid), "%d", c->pid);
	return c->pid > 0 && (is_in_our_pid_namespace(proc, pid) || has_foreign_proc(proc, pid));
}

int reach_check_at(const char *proc, bool own, const struct container *c, const char *health_check, struct error *err)
{
	bool command = health_check_is_command(health_check);

	if ((!command && !(own && c->may_trace)) || !sees_host_processes(proc, c))
		return 0;
	if (command)
		return error_set(
			err, EPERM,
			"the container '%s' sees the host's processes (--pid=host, or a mount of /proc), and could read "
			"the host's files through the command of the health check: use another check "
			"(" HEALTH_CHECK_WORDS "), or create the container without that",
			c->name);
	return error_set(
		err, EPERM,
		"the container '%s' sees the host's processes (--pid=host, or a mount of /proc) and has "
		"CAP_SYS_PTRACE, and could read your files through sockwake's programs, which are your own: have "
		"root install sockwake, or create the container without one of these",
		c->name);
}

int reach_check(const struct container *c, const char *health_check, struct error *err)
{
	return reach_check_at("/proc", programs_are_own(), c, health_check, err);
}
