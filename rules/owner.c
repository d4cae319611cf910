#include "rules/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

#define ID_LENGTH 64
#define KEPT	  (4 * 3600) /* seconds after the last use; an engine forgets it five minutes after its end */

static bool is_id(const char *s)
{
	return strlen(s) == ID_LENGTH && strspn(s, "0123456789abcdef") == ID_LENGTH;
}

static int open_directory(const struct rules_caller *caller, struct error *err)
{
	int fd;

	if (!caller->exec_owners)
		return error_set(err, ENOENT, "there is no directory for the owners of exec instances");
	fd = open(caller->exec_owners, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : error_errno(err, errno == ENOENT ? EIO : errno, "cannot open '%s'", caller->exec_owners);
}

void owner_sweep(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	time_t now = time(NULL);
	struct dirent *e;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (e = readdir(dir))) {
		struct stat st;

		if (is_id(e->d_name) && fstatat(directory, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    now - st.st_mtime > KEPT)
			(void)unlinkat(directory, e->d_name, 0);
	}
}

static bool is_owner(int directory, const struct rules_caller *caller, const char *exec)
{
	char owner[NAME_MAX + 1];
	ssize_t n = readlinkat(directory, exec, owner, sizeof(owner));

	return n >= 0 && (size_t)n == strlen(caller->owner) && memcmp(owner, caller->owner, (size_t)n) == 0;
}

int owner_note(const struct rules_caller *caller, const char *exec, struct error *err)
{
	_cleanup_close_ int directory = -1;

	if (!is_id(exec))
		return error_set(err, EPROTO, "the engine's ID of an exec instance makes no sense");
	directory = open_directory(caller, err);
	if (directory < 0)
		return -1;
	if (strncmp(exec, "00", 2) == 0) /* one in 256 */
		owner_sweep(directory);
	if (symlinkat(caller->owner, directory, exec) < 0 && (errno != EEXIST || !is_owner(directory, caller, exec)))
		return error_errno(err, errno, "cannot note the owner of an exec instance in '%s'",
				   caller->exec_owners);
	(void)utimensat(directory, exec, NULL, AT_SYMLINK_NOFOLLOW);
	return 0;
}

int owner_check(const struct rules_caller *caller, const char *exec, struct error *err)
{
	_cleanup_close_ int directory = -1;

	if (!is_id(exec))
		return error_set(err, ENOENT, "No such exec instance: %.64s", exec);
	directory = open_directory(caller, err);
	if (directory < 0)
		return -1;
	if (!is_owner(directory, caller, exec))
		return error_set(err, ENOENT, "No such exec instance: %s (only those of the same caller are seen here)",
				 exec);
	(void)utimensat(directory, exec, NULL, AT_SYMLINK_NOFOLLOW);
	return 0;
}
