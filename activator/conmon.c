/* Podman tells the PID after two requests and, if it was idle for five seconds, the start of its API service: a client
 * waits for 130 ms. The service manager has already named conmon, and /proc shows the rest:
 *
 *	/proc/MONITOR/comm			it is conmon
 *	/proc/MONITOR/cmdline			the name of the container that it watches ("-n NAME")
 *	/proc/MONITOR/task/MONITOR/children	its only relevant child is the container's first process
 *	/proc/CHILD/cgroup			…/libpod-payload-ID (or /libpod-ID): a container's; conmon's other
 *						children, which run exit commands, have another
 *	pidfd_open(CHILD)
 *	children and cgroup once more		a child is a zombie until conmon reaps it, so nobody else has its PID
 *						while it is listed: the pidfd belongs to the examined process
 *
 * The unit of a Kubernetes file runs a conmon for each container of the pod, all in the unit's control group; its main
 * process watches the service container, which does nothing and has no network. The name tells which conmon is ours.
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

#include "backends/container.h"
#include "common/cleanup.h"
#include "common/io.h"

#define CHILDREN	16	    /* exit commands and the container: usually two */
#define CGROUP_FILE_MAX (64U << 10) /* a line for each hierarchy */
#define CMDLINE_MAX	(64U << 10)

/* The first line of a short file of the kernel, without its newline; false if there is none (any more). */
static bool read_line(const char *path, char *ret, size_t size)
{
	_cleanup_free_ char *text = NULL;
	struct error ignored;

	if (file_read(AT_FDCWD, path, size, &text, NULL, &ignored) < 0)
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
			snprintf(ret, size, "%.*s", (int)len - 3, line + 3);
			return true;
		}
		line += len + (line[len] == '\n');
	}
	return false;
}

pid_t conmon_child(const char **children)
{
	char *end;
	long pid = strtol(*children, &end, 10); /* 0 without a number, LONG_MAX beyond all */

	if (pid <= 0 || pid >= INT32_MAX)
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

static bool look_at(const char *proc, const char *root, pid_t pid, struct monitored *ret)
{
	char group[4096];

	if (!read_group(proc, pid, group, sizeof(group)) || !conmon_id(group, ret->id))
		return false;
	ret->pid = pid;
	ret->frozen = cgroup_is_frozen(root, group);
	return true;
}

static bool find_container(const char *proc, const char *root, pid_t monitor, struct monitored *ret)
{
	char path[128], line[CHILDREN * 12];
	const char *rest = line;

	snprintf(path, sizeof(path), "%s/%d/task/%d/children", proc, monitor, monitor);
	if (!is_conmon(proc, monitor) || !read_line(path, line, sizeof(line)))
		return false;
	for (pid_t child; (child = conmon_child(&rest));) {
		if (look_at(proc, root, child, ret))
			return true;
	}
	return false;
}

/* Words end in '\0'. */
bool conmon_option(const char *cmdline, size_t len, const char *option, char *ret, size_t size)
{
	bool is_next = false;

	for (const char *word = cmdline; word < cmdline + len; word += strlen(word) + 1) {
		if (is_next)
			return snprintf(ret, size, "%s", word) < (int)size;
		is_next = strcmp(word, option) == 0;
	}
	return false;
}

static bool read_command(const char *proc, pid_t monitor, char **ret, size_t *ret_len)
{
	struct error ignored;
	char path[128];

	snprintf(path, sizeof(path), "%s/%d/cmdline", proc, monitor);
	return is_conmon(proc, monitor) && file_read(AT_FDCWD, path, CMDLINE_MAX, ret, ret_len, &ignored) == 0;
}

static bool watches(const char *proc, pid_t monitor, char *ret, size_t size)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	return read_command(proc, monitor, &text, &len) && conmon_option(text, len, "-n", ret, size);
}

/* Cuts "/ID/userdata…" off: what a container has of its own. */
static bool cut_own(char *path, const char *id)
{
	char own[CONTAINER_ID_MAX + sizeof("//userdata")], *p;

	snprintf(own, sizeof(own), "/%s/userdata", id);
	p = strstr(path, own);
	if (!p)
		return false;
	*p = '\0';
	return true;
}

bool conmon_lists(const struct monitored *m, const char *proc, struct podman_lists *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	return read_command(proc, m->monitor, &text, &len) &&
	       conmon_option(text, len, "-b", ret->graph, sizeof(ret->graph)) && cut_own(ret->graph, m->id) &&
	       conmon_option(text, len, "-p", ret->run, sizeof(ret->run)) && cut_own(ret->run, m->id);
}

/* Another conmon in the control group of this one that watches the container; 0 if there is none. */
static pid_t find_neighbour(const char *proc, const char *root, pid_t monitor, const char *container)
{
	char group[4096], path[PATH_MAX], line[32], name[CONTAINER_NAME_SIZE];
	_cleanup_fclose_ FILE *f = NULL;

	if (!read_group(proc, monitor, group, sizeof(group)) ||
	    snprintf(path, sizeof(path), "%s%s/cgroup.procs", root, group) >= (int)sizeof(path))
		return 0;
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		pid_t pid = conmon_child(&(const char *){line});

		if (pid && watches(proc, pid, name, sizeof(name)) && strcmp(name, container) == 0)
			return pid;
	}
	return 0;
}

/* The conmon of this container. A name that no conmon of the unit has does not matter (the container may have been
 * renamed), unless the main process watches a service container: that is nobody's server. 0: there is none. */
static pid_t choose_monitor(const char *proc, const char *root, pid_t monitor, const char *container)
{
	char name[CONTAINER_NAME_SIZE];
	pid_t neighbour;

	if (!watches(proc, monitor, name, sizeof(name)) || strcmp(name, container) == 0)
		return monitor;
	neighbour = find_neighbour(proc, root, monitor, container);
	return neighbour || container_name_is_service(name) ? neighbour : monitor;
}

int conmon_pin(pid_t monitor, const char *container, const char *proc, const char *root, struct monitored *ret,
	       int *ret_pidfd, struct error *err)
{
	struct monitored before = {};
	_cleanup_close_ int pidfd = -1;

	monitor = choose_monitor(proc, root, monitor, container);
	if (!monitor || !find_container(proc, root, monitor, &before))
		return 0;
	pidfd = (int)syscall(SYS_pidfd_open, before.pid, 0);
	if (pidfd < 0) {
		if (errno == ESRCH)
			return 0;
		return error_errno(err, errno, "cannot refer to process %d of the container", before.pid);
	}
	if (!find_container(proc, root, monitor, ret) || ret->pid != before.pid || strcmp(ret->id, before.id) != 0)
		return 0;
	ret->monitor = monitor;
	*ret_pidfd = steal_fd(&pidfd);
	return 1;
}
