/* Why nshelper cannot enter a reused PID.
 *
 * A pidfd is bound to the process, not to its number (pidfd_open(2)). nshelper reads the number from fdinfo, opens
 * /proc/NUMBER, and opens everything else relative to that directory, which is bound to one process as well: all
 * accesses fail once it is gone. The number could be reused between reading it and opening the directory. So at the end
 * nshelper checks by the pidfd that its process still runs: then the number was its own all the time.
 */
#include "nshelper/target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

#define FDINFO_MAX 4096

static int open_pidfd(pid_t pid, struct error *err)
{
	int fd;

	if (pid == 0) /* engines report 0 for a container that does not run */
		return error_set(err, ESRCH, "the container is not running: its PID is 0");
	fd = pidfd_open(pid, 0); /* already close-on-exec */
	if (fd >= 0)
		return fd;
	if (errno == ESRCH)
		return error_set(err, ESRCH, "there is no process %d: the container is not running", pid);
	if (errno == EINVAL || errno == ENOENT) /* ENOENT on newer kernels */
		return error_set(err, EINVAL, "%d is a thread, not a process: give the container's PID", pid);
	return error_errno(err, errno, "cannot open a pidfd of process %d", pid);
}

/* Source of the format: proc_pid_fdinfo(5); fs/pidfs.c: -1 after the process was reaped, 0 if it is not visible in the
 * PID namespace of this /proc. */
static int pid_of_pidfd(int pidfd, pid_t *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	char path[64], *line, *end;
	long pid;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	if (file_read(AT_FDCWD, path, FDINFO_MAX, &text, NULL, err) < 0) {
		if (err->code == ENOENT)
			return error_set(err, EBADF, "descriptor %d is not open: it should be the container's pidfd",
					 pidfd);
		return -1;
	}
	line = strstr(text, "\nPid:");
	if (!line)
		return error_set(err, EINVAL, "descriptor %d is not a pidfd", pidfd);
	pid = strtol(line + strlen("\nPid:"), &end, 10);
	if (*end != '\n' || pid > INT32_MAX)
		return error_set(err, EPROTO, "'%s' does not read as proc(5) says", path);
	if (pid == 0)
		return error_set(
			err, ESRCH,
			"the container's process is not to be seen from here: it lives in another PID namespace, that of the host or of another container");
	if (pid < 0)
		return error_set(err, ESRCH, "the container has ended: its log should say why");
	*ret = (pid_t)pid;
	return 0;
}

static int explain(int code, const char *what, pid_t pid, struct error *err)
{
	if (code == ENOENT || code == ESRCH)
		return error_set(err, ESRCH, "the container has ended (process %d): its log should say why", pid);
	if (code == EACCES || code == EPERM)
		return error_set(
			err, code,
			"may not open the %s of process %d, which belongs to another user or to a user namespace "
			"outside of this one: run this as that user, or as root with CAP_SYS_PTRACE; in a user's unit, "
			"take out PrivateTmp=, ProtectSystem= and whatever else brings a user namespace of its own",
			what, pid);
	return error_errno(err, code, "cannot open the %s of process %d", what, pid);
}

/* Kernel threads are in the host's network namespace and execute no file: for them the link reports ENOENT. */
static int check_not_kernel_thread(int proc, pid_t pid, struct error *err)
{
	char byte;

	if (readlinkat(proc, "exe", &byte, sizeof(byte)) >= 0)
		return 0;
	if (errno == ENOENT)
		return error_set(
			err, ESRCH,
			"process %d is not a container's, or has just ended: the engine's 'inspect' shows the PID of a container",
			pid);
	return explain(errno, "program", pid, err);
}

/* A pidfd becomes readable when the process ends, reaped or not (pidfd_open(2)). */
static int check_alive(int pidfd, pid_t pid, struct error *err)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int n = poll(&p, 1, 0);

	if (n < 0)
		return error_errno(err, errno, "cannot ask whether process %d is alive", pid);
	if (n > 0)
		return explain(ESRCH, "", pid, err);
	return 0;
}

int target_open(pid_t pid, int inherited, bool with_root, struct target *ret, struct error *err)
{
	_cleanup_close_ int opened = -1, proc = -1, netns = -1, root = -1;
	char path[32];
	int pidfd;

	if (pid >= 0 && (opened = open_pidfd(pid, err)) < 0)
		return -1;
	pidfd = pid >= 0 ? opened : inherited;
	if (pid_of_pidfd(pidfd, &pid, err) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d", pid);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return explain(errno, "directory in /proc", pid, err);
	netns = openat(proc, "ns/net", O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return explain(errno, "network namespace", pid, err);
	if (check_not_kernel_thread(proc, pid, err) < 0)
		return -1;
	if (with_root && (root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return explain(errno, "root directory", pid, err);
	if (check_alive(pidfd, pid, err) < 0)
		return -1;
	*ret = (struct target){.pid = pid,
			       .pidfd = opened >= 0 ? steal_fd(&opened) : inherited,
			       .netns = steal_fd(&netns),
			       .root = steal_fd(&root)};
	return 0;
}

static int keep(int fd, struct error *err)
{
	if (fd >= 0 && fcntl(fd, F_SETFD, 0) < 0)
		return error_errno(err, errno, "cannot hand descriptor %d on", fd);
	return 0;
}

int target_keep_over_exec(const struct target *t, struct error *err)
{
	return keep(t->pidfd, err) < 0 || keep(t->root, err) < 0 ? -1 : 0;
}
