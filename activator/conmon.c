/* Podman tells the PID after two requests and, if it was idle for five seconds, the start of its API service: a client
 * waits for 130 ms. The service manager has already named conmon, and /proc shows the rest:
 *
 *	/proc/MONITOR/comm			it is conmon
 *	/proc/MONITOR/task/MONITOR/children	its only relevant child is the container's first process
 *	/proc/CHILD/cgroup			…/libpod-payload-ID (or /libpod-ID): a container's; conmon's other
 *						children, which run exit commands, have another
 *	pidfd_open(CHILD)
 *	children and cgroup once more		a child is a zombie until conmon reaps it, so nobody else has its PID
 *						while it is listed: the pidfd belongs to the examined process
 */
#include "activator/conmon.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

#define CHILDREN	16	    /* exit commands and the container: usually two */
#define CGROUP_FILE_MAX (64U << 10) /* a line for each hierarchy */

/* The first line of a short file of the kernel, without its newline; false if there is none (any more). */
static bool read_line(const char *path, char *ret, size_t size)
{
	_cleanup_free_ char *text = NULL;
	struct error ignored;

	if (file_read(AT_FDCWD, path, size - 1, &text, NULL, &ignored) < 0)
		return false;
	snprintf(ret, size, "%.*s", (int)strcspn(text, "\n"), text);
	return true;
}

static bool is_conmon(const char *proc, pid_t pid)
{
	char path[128], name[32];

	snprintf(path, sizeof(path), "%s/%d/comm", proc, pid);
	return read_line(path, name, sizeof(name)) && strcmp(name, "conmon") == 0;
}

bool conmon_id(const char *group, char ret[static CONTAINER_ID_MAX])
{
	const char *p = strstr(group, "/libpod-");
	size_t len = 0;

	if (!p)
		return false;
	p += strlen("/libpod-");
	if (strncmp(p, "payload-", strlen("payload-")) == 0)
		p += strlen("payload-");
	while (isxdigit((unsigned char)p[len]))
		len++;
	if (len != CONTAINER_ID_MAX - 1)
		return false;
	memcpy(ret, p, len);
	ret[len] = '\0';
	return true;
}

bool conmon_group(const char *cgroup, char *ret, size_t size)
{
	for (const char *line = cgroup; *line;) {
		size_t len = strcspn(line, "\n");

		if (strncmp(line, "0::/", 4) == 0 && len - 3 < size) {
			memcpy(ret, line + 3, len - 3);
			ret[len - 3] = '\0';
			return true;
		}
		line += len + (line[len] == '\n');
	}
	return false;
}

pid_t conmon_child(const char **children)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(*children, &end, 10);
	if (end == *children || errno != 0 || pid <= 0 || pid > INT32_MAX)
		return 0;
	*children = end;
	return (pid_t)pid;
}

static bool read_group(const char *proc, pid_t pid, char *ret, size_t size)
{
	_cleanup_free_ char *text = NULL;
	struct error ignored;
	char path[128];

	snprintf(path, sizeof(path), "%s/%d/cgroup", proc, pid);
	return file_read(AT_FDCWD, path, CGROUP_FILE_MAX, &text, NULL, &ignored) == 0 && conmon_group(text, ret, size);
}

bool cgroup_is_frozen(const char *root, const char *group)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[PATH_MAX], line[64];

	if (snprintf(path, sizeof(path), "%s%s/cgroup.events", root, group) >= (int)sizeof(path))
		return false;
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strcmp(line, "frozen 1\n") == 0)
			return true;
	}
	return false;
}

static bool look_at(const char *proc, pid_t pid, struct monitored *ret)
{
	char group[4096];

	if (!read_group(proc, pid, group, sizeof(group)) || !conmon_id(group, ret->id))
		return false;
	ret->pid = pid;
	ret->frozen = cgroup_is_frozen("/sys/fs/cgroup", group);
	return true;
}

static bool find_container(const char *proc, pid_t monitor, struct monitored *ret)
{
	char path[128], line[CHILDREN * 12];
	const char *rest = line;

	snprintf(path, sizeof(path), "%s/%d/task/%d/children", proc, monitor, monitor);
	if (!is_conmon(proc, monitor) || !read_line(path, line, sizeof(line)))
		return false;
	for (pid_t child; (child = conmon_child(&rest));) {
		if (look_at(proc, child, ret))
			return true;
	}
	return false;
}

int conmon_pin(pid_t monitor, const char *proc, struct monitored *ret, int *ret_pidfd, struct error *err)
{
	struct monitored before = {};
	_cleanup_close_ int pidfd = -1;

	if (!find_container(proc, monitor, &before))
		return 0;
	pidfd = (int)syscall(SYS_pidfd_open, before.pid, 0);
	if (pidfd < 0) {
		if (errno == ESRCH)
			return 0;
		return error_errno(err, errno, "cannot refer to process %d of the container", before.pid);
	}
	if (!find_container(proc, monitor, ret) || ret->pid != before.pid || strcmp(ret->id, before.id) != 0)
		return 0;
	*ret_pidfd = steal_fd(&pidfd);
	return 1;
}
