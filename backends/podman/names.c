#include "backends/podman/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "backends/container.h"
#include "common/cleanup.h"
#include "common/error.h"
#include "common/io.h"

#define LIST_SIZE_MAX (16U << 20)

enum answer {
	NO_LIST,
	ABSENT,
	PERHAPS,
};

/* Names of containers have no characters that JSON would escape. A list that was cut short proves nothing. */
static enum answer look_for(const char *folder, const char *file, const char *quoted)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	struct error err;
	size_t len;

	if (snprintf(path, sizeof(path), "%s/%s", folder, file) >= (int)sizeof(path))
		return PERHAPS;
	if (file_read(AT_FDCWD, path, LIST_SIZE_MAX, &text, &len, &err) < 0)
		return err.code == ENOENT ? NO_LIST : PERHAPS;
	return len > 0 && text[len - 1] == ']' && !strstr(text, quoted) ? ABSENT : PERHAPS;
}

bool podman_name_is_free(const struct podman_lists *l, const char *name)
{
	const char *folders[] = {l->graph, l->run}, *files[] = {"containers.json", "volatile-containers.json"};
	char quoted[CONTAINER_NAME_SIZE + 2];
	unsigned lists = 0;

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	for (unsigned k = 0; k < 4; k++) {
		enum answer answer = look_for(folders[k / 2], files[k % 2], quoted);

		if (answer == PERHAPS)
			return false;
		lists += answer == ABSENT;
	}
	return lists > 0;
}
