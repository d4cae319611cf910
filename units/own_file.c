#include "units/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"

#define SIZE_MAX_OWN (4U << 20)

int own_file_read(const char *path, char **ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct stat st;

	*ret = NULL;
	if (lstat(path, &st) < 0 && errno == ENOENT)
		return 0;
	if (file_read(AT_FDCWD, path, SIZE_MAX_OWN, &text, NULL, err) < 0)
		return -1;
	if (strncmp(text, OWN_FILE_MARK, strlen(OWN_FILE_MARK)) != 0)
		return error_set(err, EEXIST, "'%s' does not belong to sockwake: remove that file", path);
	*ret = steal_ptr(&text);
	return 0;
}

int own_file_write(const char *path, const char *text, mode_t mode, char **ret_before, struct error *err)
{
	char directory[PATH_MAX];

	snprintf(directory, sizeof(directory), "%s", path);
	if (own_file_read(path, ret_before, err) < 0 || directory_make(dirname(directory), 0755, err) < 0)
		return -1;
	return file_write_atomic(path, text, strlen(text), mode, err);
}

int own_file_remove(const char *path, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct error ignored;

	(void)own_file_read(path, &text, &ignored);
	if (!text)
		return 0;
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, errno, "cannot remove '%s'", path);
	return 0;
}
