#include "backends/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"

#define FILE_MAX 65536

/* NULL if there is none (any more), or this process may not read it. */
static char *read_of(const char *proc, pid_t pid, const char *name, size_t *ret_len)
{
	char path[128], *text;
	struct error ignored;

	snprintf(path, sizeof(path), "%s/%d/%s", proc, pid, name);
	return file_read(AT_FDCWD, path, FILE_MAX, &text, ret_len, &ignored) < 0 ? NULL : text;
}

/* cgroups(7): lines "HIERARCHY:CONTROLLERS:PATH". */
static bool is_in_its_group(const struct container *c, const char *proc)
{
	_cleanup_free_ char *text = read_of(proc, c->pid, "cgroup", NULL);

	return text && strstr(text, c->id);
}

static bool namespace_of(const char *proc, const char *process, struct stat *ret)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s/ns/net", proc, process);
	return stat(path, ret) == 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* If Podman keeps no reference, it makes one from the PID, /proc/PID/ns/net, which would prove itself. With the host's
 * network a reference proves nothing either. */
static bool is_in_its_network(const struct container *c, const char *proc)
{
	struct stat key, its, own;
	char pid[16];

	if (!c->sandbox[0] || strncmp(c->sandbox, "/proc/", 6) == 0)
		return false;
	snprintf(pid, sizeof(pid), "%d", c->pid);
	return stat(c->sandbox, &key) == 0 && namespace_of(proc, pid, &its) && namespace_of(proc, "self", &own) &&
	       is_same(&key, &its) && !is_same(&key, &own);
}

/* proc_pid_stat(5): "PID (NAME) STATE PARENT …"; NAME may contain any character. */
static pid_t parent_of(const char *proc, pid_t pid)
{
	_cleanup_free_ char *text = read_of(proc, pid, "stat", NULL);
	const char *end = text ? strrchr(text, ')') : NULL;
	int parent = 0;

	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* conmon(8), containerd-shim-runc-v2, …; comm is cut off after 15 bytes. */
static bool is_monitor(const char *proc, pid_t pid)
{
	_cleanup_free_ char *name = read_of(proc, pid, "comm", NULL);

	return name && (strcmp(name, "conmon\n") == 0 || strcmp(name, "containerd-shim\n") == 0);
}

static bool is_child_of_its_monitor(const struct container *c, const char *proc)
{
	pid_t parent = parent_of(proc, c->pid);
	_cleanup_free_ char *line = NULL;
	size_t len, word;

	if (!is_monitor(proc, parent))
		return false;
	line = read_of(proc, parent, "cmdline", &len);
	for (size_t at = 0; line && at < len; at += word + 1) {
		word = strlen(line + at);
		if (strcmp(line + at, c->id) == 0)
			return true;
	}
	return false;
}

int process_check(const struct container *c, const char *proc, struct error *err)
{
	if (is_in_its_group(c, proc) || is_in_its_network(c, proc) || is_child_of_its_monitor(c, proc))
		return 0;
	return error_set(err, EREMOTE,
			 "the engine says that the container '%s' is process %d, but here that is not a process of the "
			 "container: engines in a virtual machine (Docker Desktop, 'podman machine') or in a container "
			 "cannot be used; run sockwake where the engine runs",
			 c->name, c->pid);
}
