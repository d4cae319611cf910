/* One change of the units of a scope at a time.
 *
 * The lock is a file that nobody else can open: a process that can open a file or directory can hold flock(2) on it
 * for ever. So it is in the runtime directory, not on the unit directory, which everybody may read.
 */
#include "control/units_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/parse.h"
#include "common/path.h"
#include "control/install.h"
#include "control/note.h"
#include "control/unfinished.h"
#include "units/paths.h"
#include "units/sweep.h"

#define LOCK_FILE    "units.lock"
#define HIDDEN_FILE  ".sockwake-" LOCK_FILE
#define SILENT_USEC  USEC_PER_SEC
#define LIMIT_USEC   (30 * USEC_PER_SEC)
#define LIMIT_TEXT   "30s"
#define RETRY_MSEC   20
#define NOBODY_KNOWN "somebody"

static bool is_mine(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & S_IWOTH);
}

/* Uses the runtime directory. If the user has none (not logged in, or a foreign XDG_RUNTIME_DIR kept by su), uses the
 * unit directory: a file there can be as private. */
static int lock_path(enum scope scope, const char *directory, char ret[static PATH_MAX], struct error *err)
{
	char base[PATH_MAX], runtime[PATH_MAX];
	struct error ignored;

	if (runtime_directory_find(scope, runtime, &ignored) == 0 &&
	    (scope == SCOPE_SYSTEM || (path_user_runtime(base, &ignored) == 0 && is_mine(base))) &&
	    directory_make(runtime, 0755, &ignored) == 0 && is_mine(runtime))
		return path_join(runtime, LOCK_FILE, ret, err);
	return path_join(directory, HIDDEN_FILE, ret, err);
}

/* A full runtime directory must not prevent changes of the units. */
static bool is_full(const struct error *err)
{
	return err->code == ENOSPC || err->code == EDQUOT || err->code == EROFS;
}

static int open_lock(const char *path, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "cannot open the lock '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 0077))
		return error_set(err, EPERM,
				 "'%s' is not the lock that sockwake made, which its owner alone may open: remove it",
				 path);
	return steal_fd(&fd);
}

/* proc_locks(5) names the process that took it, if that is in our PID namespace. */
static unsigned find_holder(int fd)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/locks", "re");
	struct stat st;
	char line[256];

	while (f && fstat(fd, &st) == 0 && fgets(line, sizeof(line), f)) {
		unsigned pid, major_number, minor_number;
		unsigned long long inode;

		if (sscanf(line, "%*u: FLOCK %*s %*s %u %x:%x:%llu", &pid, &major_number, &minor_number, &inode) == 4 &&
		    inode == st.st_ino && makedev(major_number, minor_number) == st.st_dev)
			return pid;
	}
	return 0;
}

/* "sockwake (PID 17)" */
static void name_holder(unsigned pid, char *ret, size_t size)
{
	_cleanup_free_ char *name = NULL;
	struct error ignored;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	if (pid == 0 || file_read(AT_FDCWD, path, 4096, &name, NULL, &ignored) < 0) {
		snprintf(ret, size, NOBODY_KNOWN);
		return;
	}
	name[strcspn(name, "\n")] = '\0';
	text_make_printable(name);
	snprintf(ret, size, "%s (PID %u)", name, pid);
}

static int too_late(int fd, const char *path, struct error *err)
{
	unsigned pid = find_holder(fd);
	char holder[96];

	name_holder(pid, holder, sizeof(holder));
	if (strcmp(holder, NOBODY_KNOWN) == 0)
		return error_set(err, ETIMEDOUT,
				 "another command is changing the units and has not ended within " LIMIT_TEXT
				 ": try again; 'fuser -v %s' shows which",
				 path);
	return error_set(err, ETIMEDOUT,
			 "%s is changing the units and has not ended within " LIMIT_TEXT
			 ": try again, or end it by 'kill %u'",
			 holder, pid);
}

static int take(int fd, const char *path, struct error *err)
{
	uint64_t begin = now_usec();
	bool silent = true;
	char holder[96];

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_errno(err, errno, "cannot lock '%s'", path);
		if (now_usec() - begin > LIMIT_USEC)
			return too_late(fd, path, err);
		if (silent && now_usec() - begin > SILENT_USEC) {
			name_holder(find_holder(fd), holder, sizeof(holder));
			note_print("waiting for %s, which is changing the units", holder);
			silent = false;
		}
		(void)poll(NULL, 0, RETRY_MSEC);
	}
	return 0;
}

bool units_lock_find_holder(enum scope scope, const char *directory, char *ret, size_t size)
{
	_cleanup_close_ int fd = -1;
	struct error ignored;
	char path[PATH_MAX];
	unsigned pid;

	if (lock_path(scope, directory, path, &ignored) < 0)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	pid = fd < 0 ? 0 : find_holder(fd);
	if (pid)
		name_holder(pid, ret, size);
	return pid != 0;
}

/* Opens and locks that file; once more if its holder has removed it meanwhile. */
static int open_and_take(const char *path, struct error *err)
{
	for (;;) {
		_cleanup_close_ int fd = open_lock(path, err);
		struct stat st;

		if (fd < 0 || take(fd, path, err) < 0)
			return -1;
		if (fstat(fd, &st) < 0 || st.st_nlink > 0)
			return steal_fd(&fd);
	}
}

/* A command without a runtime directory has left this one. */
static void sweep_hidden(const char *directory, const char *used)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct error ignored;
	struct stat st;

	if (path_join(directory, HIDDEN_FILE, path, &ignored) < 0 || strcmp(path, used) == 0)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
		(void)unlink(path);
}

int units_lock_take(enum scope scope, const char *directory, int *ret_fd, struct error *err)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	size_t n;

	if (directory_make(directory, 0755, err) < 0 || lock_path(scope, directory, path, err) < 0)
		return -1;
	fd = open_and_take(path, err);
	if (fd < 0 && is_full(err)) {
		error_clear(err);
		if (path_join(directory, HIDDEN_FILE, path, err) == 0)
			fd = open_and_take(path, err);
	}
	if (fd < 0)
		return -1;
	sweep_hidden(directory, path);
	n = units_sweep(scope, directory);
	if (n > 0)
		note_print("removed %zu file%s that an interrupted command had left behind", n, n == 1 ? "" : "s");
	unfinished_settle(scope, directory);
	*ret_fd = steal_fd(&fd);
	return 0;
}
