#include "router/subordinates.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/io.h"

#define FILE_SIZE (1024UL * 1024)

static void add(struct subordinates *s, unsigned long first, unsigned long count)
{
	void *more;

	if (first == 0 || count == 0 || first > UINT32_MAX || count > UINT32_MAX - first)
		return;
	more = reallocarray(s->ranges, s->n + 1, sizeof(*s->ranges));
	if (!more)
		return;
	s->ranges = more;
	s->ranges[s->n].first = (uid_t)first;
	s->ranges[s->n++].last = (uid_t)(first + count - 1);
}

/* A line is "NAME:FIRST:COUNT". */
void subordinates_read(const char *path, struct subordinates *ret)
{
	_cleanup_free_ char *text = NULL;
	struct error ignored;

	*ret = (struct subordinates){};
	if (file_read(AT_FDCWD, path, FILE_SIZE, &text, NULL, &ignored) < 0)
		return;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		unsigned long first, count;

		if (*line != '#' && sscanf(line, "%*[^:]:%lu:%lu", &first, &count) == 2)
			add(ret, first, count);
	}
}

void subordinates_clear(struct subordinates *s)
{
	free(s->ranges);
	*s = (struct subordinates){};
}

uid_t subordinates_first(const struct subordinates *s, uid_t uid)
{
	for (size_t k = 0; k < s->n; k++) {
		if (uid >= s->ranges[k].first && uid <= s->ranges[k].last)
			return s->ranges[k].first;
	}
	return uid;
}
