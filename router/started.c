#include "router/started.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"

#define FILE_SIZE (1024UL * 1024)

static struct started_entry *find(const struct started *s, uid_t uid, const char *what)
{
	for (size_t k = 0; k < s->n; k++) {
		if (s->all[k].uid == uid && strcmp(s->all[k].what, what) == 0)
			return &s->all[k];
	}
	return NULL;
}

static bool add(struct started *s, uid_t uid, const char *what)
{
	struct started_entry *all;

	if (find(s, uid, what))
		return false;
	all = realloc(s->all, (s->n + 1) * sizeof(*all));
	if (!all)
		return false;
	s->all = all;
	all[s->n] = (struct started_entry){.uid = uid};
	(void)snprintf(all[s->n++].what, sizeof(all->what), "%s", what);
	return true;
}

/* A line is "WHAT UID". */
static void write_file(const struct started *s)
{
	_cleanup_free_ char *text = NULL;
	struct error err;
	size_t len;
	FILE *f;

	if (!s->path || !(f = open_memstream(&text, &len)))
		return;
	for (size_t k = 0; k < s->n; k++)
		(void)fprintf(f, "%s %u\n", s->all[k].what, (unsigned)s->all[k].uid);
	if (fclose(f) == 0 && file_write_atomic(s->path, text, len, 0644, &err) < 0)
		log_line(LOG_WARNING, "%s", err.text);
}

void started_open(struct started *s, const char *path)
{
	_cleanup_free_ char *text = NULL;
	struct error ignored;

	*s = (struct started){.path = path};
	if (!path || file_read(AT_FDCWD, path, FILE_SIZE, &text, NULL, &ignored) < 0)
		return;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		char what[16];
		unsigned uid;

		if (sscanf(line, "%15s %u", what, &uid) == 2)
			(void)add(s, uid, what);
	}
}

void started_close(struct started *s)
{
	free(s->all);
	*s = (struct started){};
}

void started_add(struct started *s, uid_t uid, const char *what)
{
	if (add(s, uid, what))
		write_file(s);
}

void started_remove(struct started *s, uid_t uid, const char *what)
{
	struct started_entry *e = find(s, uid, what);

	if (!e)
		return;
	*e = s->all[--s->n];
	write_file(s);
}
