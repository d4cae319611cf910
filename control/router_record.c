#include "control/router_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/path.h"

#define RECORD_PATH ROUTER_STATE_DIRECTORY "/router"
#define RECORD_MAX  16384

static void take_line(struct router_record *r, const char *line)
{
	const char *value = strchr(line, ' ');

	if (!value)
		return;
	value++;
	if (strncmp(line, "progress ", 9) == 0)
		(void)snprintf(r->progress, sizeof(r->progress), "%s", value);
	else if (strncmp(line, "link ", 5) == 0)
		(void)snprintf(r->link, sizeof(r->link), "%s", value);
	else if (strncmp(line, "restarting ", 11) == 0)
		(void)snprintf(r->restarting, sizeof(r->restarting), "%s", value);
	else if (strncmp(line, "masked ", 7) == 0)
		r->masked = true;
	else if (strncmp(line, "made ", 5) == 0 && r->n_made < ROUTER_DIRECTORIES_MAX)
		(void)snprintf(r->made[r->n_made++], sizeof(*r->made), "%s", value);
}

int router_record_read(const char *root, struct router_record *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	*ret = (struct router_record){};
	if (path_print(path, "%s" RECORD_PATH, err, root) < 0)
		return -1;
	if (file_read(AT_FDCWD, path, RECORD_MAX, &text, NULL, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		take_line(ret, line);
	return 0;
}

int router_record_write(const char *root, const struct router_record *r, struct error *err)
{
	char path[PATH_MAX], directory[PATH_MAX], text[RECORD_MAX];
	size_t n;

	if (path_print(path, "%s" RECORD_PATH, err, root) < 0 ||
	    path_print(directory, "%s" ROUTER_STATE_DIRECTORY, err, root) < 0 ||
	    directory_make(directory, 0755, err) < 0)
		return -1;
	n = (size_t)snprintf(text, sizeof(text), "progress %s\n%s", r->progress, r->masked ? "masked yes\n" : "");
	if (*r->link)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "link %s\n", r->link);
	if (*r->restarting)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "restarting %s\n", r->restarting);
	for (unsigned k = 0; k < r->n_made; k++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "made %s\n", r->made[k]);
	return file_write_atomic(path, text, n, 0644, err);
}

/* Somebody may have put something into a directory: then it stays. */
int router_record_remove(const char *root, const struct router_record *r, struct error *err)
{
	char path[PATH_MAX];

	if (path_print(path, "%s" RECORD_PATH, err, root) < 0)
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, errno, "cannot remove '%s'", path);
	for (unsigned k = r->n_made; k > 0; k--) {
		if (path_print(path, "%s%s", err, root, r->made[k - 1]) < 0)
			return -1;
		(void)rmdir(path);
	}
	return 0;
}

void router_record_note_directory(const char *root, const char *directory, struct router_record *r)
{
	char path[PATH_MAX], part[sizeof(*r->made)];
	struct error ignored;

	for (size_t len = 1; len <= strlen(directory); len++) {
		if (directory[len] != '/' && directory[len] != '\0')
			continue;
		(void)snprintf(part, sizeof(part), "%.*s", (int)len, directory);
		if (path_print(path, "%s%s", &ignored, root, part) < 0 || access(path, F_OK) == 0 ||
		    r->n_made == ROUTER_DIRECTORIES_MAX)
			continue;
		for (unsigned k = 0; k < r->n_made; k++) {
			if (strcmp(r->made[k], part) == 0)
				return;
		}
		(void)snprintf(r->made[r->n_made++], sizeof(*r->made), "%s", part);
	}
}
