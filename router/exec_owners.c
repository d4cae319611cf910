#include "router/exec_owners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "rules/owner.h"

#define PREFIX "sockwake-exec."
/* How often it may be removed between the moments when it is found and locked. */
#define TRIES 16

/* Anybody may make something of this name; only we make what is ours. */
static bool is_own(const struct stat *st)
{
	return S_ISDIR(st->st_mode) && st->st_uid == geteuid() && (st->st_mode & 077) == 0;
}

/* The first in the order of names, so that all find the same. False: there is none. */
static bool find(const char *base, char ret[static EXEC_OWNERS_PATH_MAX])
{
	_cleanup_dir_ DIR *dir = opendir(base);
	const struct dirent *e;
	bool found = false;

	while (dir && (e = readdir(dir))) {
		char path[EXEC_OWNERS_PATH_MAX];
		struct stat st;

		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) != 0 ||
		    fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !is_own(&st) ||
		    snprintf(path, sizeof(path), "%s/%s", base, e->d_name) >= (int)sizeof(path))
			continue;
		if (!found || strcmp(path, ret) < 0)
			strcpy(ret, path);
		found = true;
	}
	return found;
}

static int find_or_make(const char *base, char ret[static EXEC_OWNERS_PATH_MAX], struct error *err)
{
	char made[EXEC_OWNERS_PATH_MAX];

	if (find(base, ret))
		return 0;
	if (snprintf(made, sizeof(made), "%s/" PREFIX "XXXXXX", base) >= (int)sizeof(made))
		return error_set(err, ENAMETOOLONG, "the path '%s' is too long", base);
	if (!mkdtemp(made))
		return error_errno(err, errno, "cannot make a directory in %s", base);
	/* Somebody else may have made one at this moment. */
	if (!find(base, ret))
		strcpy(ret, made);
	if (strcmp(ret, made) != 0)
		(void)rmdir(made);
	return 0;
}

/* Is the descriptor that of the path still? */
static bool is_there(const char *path, int fd)
{
	struct stat there, ours;

	return lstat(path, &there) == 0 && fstat(fd, &ours) == 0 && there.st_dev == ours.st_dev &&
	       there.st_ino == ours.st_ino && is_own(&ours);
}

int exec_owners_open(const char *base, struct exec_owners *ret, struct error *err)
{
	for (unsigned k = 0; k < TRIES; k++) {
		if (find_or_make(base, ret->path, err) < 0)
			return -1;
		ret->fd = open(ret->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (ret->fd >= 0 && flock(ret->fd, LOCK_SH | LOCK_NB) == 0 && is_there(ret->path, ret->fd)) {
			owner_sweep(ret->fd);
			return 0;
		}
		if (ret->fd >= 0)
			close(ret->fd);
	}
	return error_set(err, EBUSY, "cannot open the directory '%s'", ret->path);
}

void exec_owners_close(struct exec_owners *o)
{
	owner_sweep(o->fd);
	/* The lock of one alone; what is not empty stays. */
	if (flock(o->fd, LOCK_EX | LOCK_NB) == 0)
		(void)rmdir(o->path);
	close(o->fd);
	o->fd = -1;
}
