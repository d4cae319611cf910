#include "backends/volumes.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "common/io.h"
#include "common/parse.h"

#define RECORD_MAX  (1U << 20)
#define RECORD_MODE 0600
#define NO_NAME	    "-" /* no volume has this name */

static void volume_clear(struct volume *v)
{
	free(v->name);
	free(v->path);
	*v = (struct volume){};
}

void volumes_clear(struct volumes *v)
{
	for (size_t k = 0; k < v->n; k++)
		volume_clear(&v->items[k]);
	free(v->items);
	*v = (struct volumes){};
}

static int append(struct volumes *v, struct volume *one, struct error *err)
{
	struct volume *more;

	if (v->n == VOLUMES_MAX) {
		volume_clear(one);
		return 0;
	}
	more = one->path ? reallocarray(v->items, v->n + 1, sizeof(*more)) : NULL;
	if (!more) {
		volume_clear(one);
		return error_errno(err, ENOMEM, "cannot remember the volumes of a container");
	}
	v->items = more;
	more[v->n++] = *one;
	return 0;
}

static uint64_t nanoseconds(const struct statx_timestamp *t)
{
	return (uint64_t)t->tv_sec * 1000000000U + t->tv_nsec;
}

/* False if it does not exist or cannot be seen; errno tells. */
static bool look(const char *path, struct statx *ret)
{
	return statx(AT_FDCWD, path, AT_STATX_SYNC_AS_STAT, STATX_TYPE | STATX_INO | STATX_BTIME, ret) == 0;
}

static void take(const struct statx *st, struct volume *ret)
{
	ret->inode = st->stx_ino;
	ret->birth = st->stx_mask & STATX_BTIME ? nanoseconds(&st->stx_btime) : 0;
	ret->is_mount_point = st->stx_attributes & st->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT;
}

static bool is_in_memory(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

int volumes_add(struct volumes *v, const char *name, const char *path, struct error *err)
{
	struct volume one = {};
	struct statx st;

	if (!path_is_valid(path) || !look(path, &st) || !S_ISDIR(st.stx_mode) || (!name && is_in_memory(path)))
		return 0;
	take(&st, &one);
	one.path = strdup(path);
	one.name = name ? strdup(name) : NULL;
	if (name && !one.name)
		free_ptr(&one.path);
	return append(v, &one, err);
}

static bool is_same_name(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool volumes_are_equal(const struct volumes *a, const struct volumes *b)
{
	bool equal = a->n == b->n && strcmp(a->image, b->image) == 0;

	for (size_t k = 0; equal && k < a->n; k++) {
		const struct volume *x = &a->items[k], *y = &b->items[k];

		equal = is_same_name(x->name, y->name) && strcmp(x->path, y->path) == 0 && x->inode == y->inode &&
			x->birth == y->birth && x->is_mount_point == y->is_mount_point;
	}
	return equal;
}

static bool is_volume_name(const char *s)
{
	return container_name_is_valid(s); /* the same characters */
}

/* "volume INODE BIRTH MOUNT-POINT NAME PATH" */
static int read_volume(const char *line, struct volumes *ret, struct error *err)
{
	struct volume one = {};
	char name[256];
	int mounted, path = 0;

	if (sscanf(line, "volume %" SCNu64 " %" SCNu64 " %d %255s %n", &one.inode, &one.birth, &mounted, name, &path) <
		    4 ||
	    path == 0 || !path_is_valid(line + path) || (strcmp(name, NO_NAME) != 0 && !is_volume_name(name)))
		return error_set(err, EINVAL, "the line '%s' makes no sense", line);
	one.is_mount_point = mounted != 0;
	one.path = strdup(line + path);
	if (strcmp(name, NO_NAME) != 0 && !(one.name = strdup(name)))
		free_ptr(&one.path);
	return append(ret, &one, err);
}

int volumes_read(const char *path, struct volumes *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	char *save = NULL;

	*ret = (struct volumes){};
	if (file_read(AT_FDCWD, path, RECORD_MAX, &text, NULL, err) < 0)
		return -1;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#' || sscanf(line, "image %79s", ret->image) == 1)
			continue;
		if (read_volume(line, ret, err) < 0)
			return error_context(err, "'%s'", path);
	}
	return 0;
}

static void put(FILE *f, const struct volumes *v)
{
	fputs("# What sockwake saw when the container last slept; see \"Pruning\" in sockwake(1).\n", f);
	if (v->image[0])
		fprintf(f, "image %s\n", v->image);
	for (size_t k = 0; k < v->n; k++) {
		const struct volume *one = &v->items[k];

		fprintf(f, "volume %" PRIu64 " %" PRIu64 " %d %s %s\n", one->inode, one->birth, one->is_mount_point,
			one->name ? one->name : NO_NAME, one->path);
	}
}

int volumes_write(const char *path, const struct volumes *v, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	char directory[PATH_MAX];
	size_t len;
	FILE *f;

	snprintf(directory, sizeof(directory), "%s", path);
	dirname(directory);
	if (v->n == 0 && !v->image[0]) {
		if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
			return error_errno(err, errno, "cannot remove '%s'", path);
		file_sweep_temporary(directory);
		(void)rmdir(directory); /* if it is empty */
		return 0;
	}
	f = open_memstream(&text, &len);
	if (f)
		put(f, v);
	if (!f || (ferror(f) | fclose(f)))
		return error_errno(err, ENOMEM, "cannot write '%s'", path);
	if (directory_make(directory, 0700, err) < 0)
		return -1;
	return file_write_atomic(path, text, len, RECORD_MODE, err);
}

enum volume_change volume_look(const struct volume *v)
{
	struct volume now = {};
	struct statx st;

	if (!look(v->path, &st))
		return errno == ENOENT || errno == ENOTDIR ? VOLUME_GONE : VOLUME_SAME;
	take(&st, &now);
	if (!v->name)
		return v->is_mount_point && !now.is_mount_point ? VOLUME_UNMOUNTED : VOLUME_SAME;
	if (v->is_mount_point || now.is_mount_point)
		return VOLUME_SAME;
	if (v->inode != now.inode || (v->birth && now.birth && v->birth != now.birth))
		return VOLUME_NEW;
	return VOLUME_SAME;
}
