#include "control/router_left.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/io.h"

#define STARTED_FILE "/run/sockwake-router/started"
#define FILE_SIZE    (1024UL * 1024)

void router_left_each(router_left_visitor visit, void *data)
{
	_cleanup_free_ char *text = NULL;
	struct error ignored;

	if (file_read(AT_FDCWD, STARTED_FILE, FILE_SIZE, &text, NULL, &ignored) < 0)
		return;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		const struct passwd *user;
		char what[16];
		unsigned uid;

		if (sscanf(line, "%15s %u", what, &uid) == 2 && (user = getpwuid(uid)))
			visit(data, what, uid, user->pw_name);
	}
}
