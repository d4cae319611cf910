#include "control/known.h"

#include <limits.h>

#include "backends/backend.h"
#include "backends/engine.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/path.h"
#include "lifecycle/lock.h"
#include "units/paths.h"

void known_remember(const struct instance *i, const char *id)
{
	char directory[PATH_MAX], path[PATH_MAX], socket[ENGINE_SOCKET_MAX], named[LOCK_NAME_MAX], text[RUN_TEXT_MAX];
	_cleanup_close_ int fd = -1;
	struct error ignored;

	if (i->unit || !id[0] || engine_find_socket(i->backend, i->scope, i->engine_socket, socket, &ignored) < 0 ||
	    runtime_directory_find(i->scope, directory, &ignored) < 0 ||
	    directory_make(directory, 0755, &ignored) < 0 ||
	    path_join(directory, lock_name(i->backend, socket, i->container_name, named), path, &ignored) < 0 ||
	    lock_exclusive(path, 0, &fd, &ignored) < 0)
		return;
	lock_read(fd, text);
	if (!text[0] || lock_is_asleep(fd))
		lock_record_asleep(fd, id);
}
