/* A process with all capabilities in a user namespace may trace the processes in it, and open their files, working
 * directory and root through /proc: here the host's files, with the rights of the user who started us. Two things
 * decide (__ptrace_may_access() in kernel/ptrace.c): which user namespace owns the memory, and whether the process is
 * dumpable.
 *
 *	before the exec	 the memory is owned by the user namespace in which nshelper was executed, whose capabilities no
 *			 container has. The container's root is the same user; PR_SET_DUMPABLE closes that way, too.
 *	the exec	 makes new memory, owned by the entered user namespace, and dumpable; except if the process
 *			 may not read the program: then it is not dumpable, and its owner is the first namespace upwards
 *			 that knows the file's owner (would_dump() in fs/exec.c). For root's files that is the host's.
 *
 * With fs.suid_dumpable=1, unreadable programs are dumpable as well (proc_sys_fs(5)).
 */
#include "nshelper/unreachable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/cleanup.h"

int unreachable_become(struct error *err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_errno(err, errno, "cannot forbid tracing");
	return 0;
}

static bool all_is_dumpable(void)
{
	_cleanup_close_ int fd = open("/proc/sys/fs/suid_dumpable", O_RDONLY | O_CLOEXEC);
	char value = '0';

	return fd >= 0 && read(fd, &value, 1) == 1 && value == '1';
}

int unreachable_check(int fd, const char *program, struct error *err)
{
	if (fd < 0 && !strchr(program, '/'))
		return error_set(err, EINVAL, "--unreachable takes a program with its path, which '%s' is not",
				 program);
	if (all_is_dumpable())
		return error_set(err, EPERM,
				 "with fs.suid_dumpable=1 processes in the container could read the host's files "
				 "through '%s': 'sysctl fs.suid_dumpable=0', or 2, forbids that",
				 program);
	if (faccessat(fd < 0 ? AT_FDCWD : fd, fd < 0 ? program : "", R_OK, AT_EACCESS | (fd < 0 ? 0 : AT_EMPTY_PATH)) ==
	    0)
		return error_set(err, EPERM,
				 "'%s' is readable, so that processes in the container could read the host's files "
				 "through it: install sockwake again, or take that permission away ('chmod 0711' for "
				 "a file of root's, 'chmod 0111' for one of your own)",
				 program);
	return 0;
}
