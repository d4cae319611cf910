#include "common/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fault.h"

/* How much to make room for next: one byte beyond the limit shows that a file is too large. Files in /proc claim to
 * have no size. */
static size_t next_size(size_t size, const struct stat *st, size_t max)
{
	size_t next = size ? size * 2 : (size_t)st->st_size + 1;

	if (next < 4096)
		next = 4096;
	return next > max ? max + 1 : next;
}

int file_read(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len, struct error *err)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *data = NULL;
	size_t len = 0, size = 0;
	struct stat st;

	if (fd < 0)
		return error_errno(err, errno, "cannot open '%s'", path);
	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "cannot examine '%s'", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "'%s' is not a regular file", path);
	if ((uint64_t)st.st_size > max)
		return error_set(err, EFBIG, "'%s' is larger than %zu bytes", path, max);
	for (;;) {
		ssize_t n;

		if (len == size) {
			char *more;

			size = next_size(size, &st, max);
			more = realloc(data, size + 1);
			if (!more)
				return error_errno(err, ENOMEM, "cannot read '%s'", path);
			data = more;
		}
		n = read(fd, data + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "cannot read '%s'", path);
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return error_set(err, EFBIG, "'%s' is larger than %zu bytes", path, max);
	}
	data[len] = '\0';
	*ret = steal_ptr(&data);
	if (ret_len)
		*ret_len = len;
	return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

#define TEMPORARY_PREFIX ".sockwake-"
#define TEMPORARY_RANDOM "XXXXXX"
#define WRITING_LIMIT	 60 /* seconds */

static bool is_temporary_name(const char *file)
{
	return strlen(file) == strlen(TEMPORARY_PREFIX TEMPORARY_RANDOM) &&
	       strncmp(file, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0;
}

bool file_is_temporary(int directory, const char *file, time_t age)
{
	struct stat st;

	return is_temporary_name(file) && fstatat(directory, file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_uid == geteuid() && (age == 0 || time(NULL) - st.st_mtime > age);
}

/* A file without a name leaves nothing behind when its writer is killed. Not every file system supports it (open(2),
 * O_TMPFILE); the directory may be missing. */
static int open_nameless(const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	if (access("/proc/self/fd", F_OK) < 0) /* which gives it a name later */
		return -1;
	snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	return open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
}

/* Gives the file a name, from a template like mkostemp(3)'s. */
static int give_name(int fd, char *template)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345"; /* 32, so each is equally likely */
	char self[32], *random = template + strlen(template) - strlen(TEMPORARY_RANDOM);

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (;;) {
		if (getrandom(random, strlen(TEMPORARY_RANDOM), 0) < 0)
			return -1;
		for (char *p = random; p < random + strlen(TEMPORARY_RANDOM); p++)
			*p = letters[(unsigned char)*p % strlen(letters)];
		if (linkat(AT_FDCWD, self, AT_FDCWD, template, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
}

int file_write_beside(const char *path, const char *data, size_t len, mode_t mode, char ret[static PATH_MAX],
		      struct error *err)
{
	_cleanup_close_ int fd = -1;
	const char *slash = strrchr(path, '/');
	int prefix = slash ? (int)(slash - path) + 1 : 0;
	bool nameless;

	/* The name begins with a dot, so that systemd does not take a left-over for a unit. It does not contain the
	 * final name, which may have the maximum length already. */
	if (snprintf(ret, PATH_MAX, "%.*s" TEMPORARY_PREFIX TEMPORARY_RANDOM, prefix, path) >= PATH_MAX)
		return error_set(err, ENAMETOOLONG, "the path '%s' is too long", path);
	fd = open_nameless(path);
	nameless = fd >= 0;
	if (!nameless)
		fd = mkostemp(ret, O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "cannot create a file beside '%s'", path);
	if (write_all(fd, data, len) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0 ||
	    (nameless && give_name(fd, ret) < 0)) {
		int saved = errno;

		if (!nameless)
			(void)unlink(ret);
		return error_errno(err, saved, "cannot write '%s'", path);
	}
	return 0;
}

const char *path_resolve(const char *path, char ret[static PATH_MAX])
{
	const char *file = strrchr(path, '/');
	char directory[PATH_MAX];

	if (realpath(path, ret))
		return ret;
	if (!file || file == path || (size_t)(file - path) >= sizeof(directory))
		return path;
	memcpy(directory, path, (size_t)(file - path));
	directory[file - path] = '\0';
	if (!realpath(directory, ret) || strlen(ret) + strlen(file) >= PATH_MAX)
		return path;
	strcat(ret, file);
	return ret;
}

void file_sweep_temporary(const char *directory)
{
	_cleanup_dir_ DIR *dir = opendir(directory);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (file_is_temporary(dirfd(dir), e->d_name, WRITING_LIMIT))
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
}

int file_write_atomic(const char *path, const char *data, size_t len, mode_t mode, struct error *err)
{
	char temporary[PATH_MAX];

	if (file_write_beside(path, data, len, mode, temporary, err) < 0)
		return -1;
	FAULT("write:named");
	if (rename(temporary, path) < 0) {
		int saved = errno;

		(void)unlink(temporary);
		return error_errno(err, saved, "cannot write '%s'", path);
	}
	file_sweep_temporary(dirname(temporary));
	return 0;
}

const char *io_remedy(int code)
{
	return code == EISDIR || code == ELOOP ? ": remove what is there" : "";
}

int directory_make(const char *path, mode_t mode, struct error *err)
{
	char s[PATH_MAX];

	if (strlen(path) >= sizeof(s))
		return error_set(err, ENAMETOOLONG, "the path '%s' is too long", path);
	strcpy(s, path);
	for (char *p = s + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(s, mode) < 0 && errno != EEXIST)
			return error_errno(err, errno, "cannot create the directory '%s'", s);
		*p = c;
		if (c == '\0')
			return 0;
	}
}
