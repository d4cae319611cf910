#include "control/kept_up.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/path.h"
#include "control/instance_engine.h"
#include "control/note.h"
#include "control/sharing.h"
#include "instance/health_check.h"
#include "lifecycle/lock.h"
#include "units/paths.h"

#define ENGINE_TIMEOUT (10 * USEC_PER_SEC)

/* A person's instance puts it to sleep, and so does the one whose own container it is. */
static bool somebody_answers_for(const struct instance *i, const char *container, const struct stored_list *all)
{
	for (size_t k = 0; k < all->n; k++) {
		const struct instance *other = &all->items[k].instance;
		bool counts;

		if (all->items[k].problem || strcmp(other->name, i->name) == 0 || !instances_share_engine(i, other))
			continue;
		counts = strcmp(other->container_name, container) == 0;
		for (size_t m = 0; m < other->n_dependencies && !other->adopted; m++)
			counts |= strcmp(other->dependencies[m].container, container) == 0;
		if (counts)
			return true;
	}
	return false;
}

/* Has a wake started it, so that the same instance puts it to sleep? */
static bool is_own(const struct instance *i, const struct dependency *d, const struct engine *e,
		   const struct container *c)
{
	char directory[PATH_MAX], path[PATH_MAX], named[LOCK_NAME_MAX], text[RUN_TEXT_MAX];
	_cleanup_close_ int fd = -1;
	struct error ignored;

	lock_name(i->backend, e->socket, d->container, named);
	if (runtime_directory_find(i->scope, directory, &ignored) < 0 ||
	    path_join(directory, named, path, &ignored) < 0 || (fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return false;
	lock_read(fd, text);
	/* "own starting", "own started", or "own" and the run of a unit */
	return lock_is_own_run(fd, c) || strncmp(text, "own ", strlen("own ")) == 0;
}

static const char *stop_words(const struct instance *i, const struct dependency *d)
{
	if (d->unit)
		return i->scope == SCOPE_USER ? "systemctl --user stop" : "systemctl stop";
	return i->backend == BACKEND_PODMAN ? "podman stop" : "docker stop";
}

static bool is_kept_up(const struct instance *i, const struct dependency *d, struct engine *e,
		       const struct stored_list *all)
{
	_cleanup_container_ struct container c = {};
	struct error ignored;

	if (health_check_is_completed(d->health_check) || somebody_answers_for(i, d->container, all))
		return false;
	e->deadline = now_usec() + ENGINE_TIMEOUT;
	return e->backend->inspect(e, d->container, &c, &ignored) == 0 && c.state == CONTAINER_RUNNING &&
	       !is_own(i, d, e, &c);
}

/* The first one from the k-th on; i->n_dependencies: there is none. */
static size_t find(const struct instance *i, size_t k, struct engine *e, const struct stored_list *all,
		   char ret[static KEPT_UP_MAX])
{
	ret[0] = '\0';
	if (!i->adopted || i->keep_running)
		return i->n_dependencies;
	for (; k < i->n_dependencies; k++) {
		const struct dependency *d = &i->dependencies[k];

		if (!is_kept_up(i, d, e, all))
			continue;
		snprintf(ret, KEPT_UP_MAX,
			 "'%s' runs, and only a label names it: it stays up until somebody stops it once, as with "
			 "'%s %s'; from then on sockwake wakes it and puts it to sleep",
			 d->container, stop_words(i, d), d->unit ? d->unit : d->container);
		break;
	}
	return k;
}

void kept_up_note(const struct instance *i, struct engine *e, const struct stored_list *all)
{
	char text[KEPT_UP_MAX];

	for (size_t k = 0; (k = find(i, k, e, all, text)) < i->n_dependencies; k++)
		note_print("%s", text);
}

/* Without an answer there is nothing to say. */
static bool open_all(const struct instance *i, struct stored_list *all, struct engine **e)
{
	char directory[PATH_MAX];
	struct error ignored;

	return i->adopted && !i->keep_running && i->n_dependencies > 0 &&
	       unit_directory(i->scope, directory, &ignored) == 0 && store_scan(directory, all, &ignored) == 0 &&
	       instance_open_engine(i, ENGINE_TIMEOUT, e, &ignored) == 0;
}

void kept_up_look(const struct instance *i)
{
	_cleanup_stored_list_ struct stored_list all = {};
	_cleanup_engine_ struct engine *e = NULL;

	if (open_all(i, &all, &e))
		kept_up_note(i, e, &all);
}

bool kept_up_describe(const struct instance *i, char ret[static KEPT_UP_MAX])
{
	_cleanup_stored_list_ struct stored_list all = {};
	_cleanup_engine_ struct engine *e = NULL;

	return open_all(i, &all, &e) && find(i, 0, e, &all, ret) < i->n_dependencies;
}
