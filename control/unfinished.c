#include "control/unfinished.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/parse.h"
#include "common/path.h"
#include "control/note.h"
#include "units/manager.h"
#include "units/paths.h"
#include "units/query.h"

#define SUFFIX	       ".unfinished"
#define OPEN	       "open\n"
#define SOCKET_TIMEOUT (60 * USEC_PER_SEC)

static int marker_path(enum scope scope, const char *name, char ret[static PATH_MAX])
{
	char directory[PATH_MAX], file[UNIT_NAME_MAX];
	struct error ignored;

	return runtime_directory_find(scope, directory, &ignored) < 0
		       ? -1
		       : path_join(directory, unit_name(name, SUFFIX, file), ret, &ignored);
}

void unfinished_begin(enum scope scope, const char *name, bool open)
{
	const char *text = open ? OPEN : "";
	char path[PATH_MAX];
	struct error ignored;

	if (marker_path(scope, name, path) == 0)
		(void)file_write_atomic(path, text, strlen(text), 0600, &ignored);
}

void unfinished_end(enum scope scope, const char *name)
{
	char path[PATH_MAX];

	if (marker_path(scope, name, path) == 0)
		(void)unlink(path);
}

bool unfinished_is_there(enum scope scope, const char *name)
{
	char path[PATH_MAX];

	return marker_path(scope, name, path) == 0 && access(path, F_OK) == 0;
}

static bool has_file(const char *directory, const char *name, const char *suffix)
{
	char file[UNIT_NAME_MAX], path[PATH_MAX];
	struct error ignored;

	return path_join(directory, unit_name(name, suffix, file), path, &ignored) == 0 && access(path, F_OK) == 0;
}

/* Is that a unit which the manager has read from the unit directory? */
static bool is_ours(const struct unit_state *s, const char *directory)
{
	size_t len = strlen(directory);

	return strncmp(s->fragment_path, directory, len) == 0 && s->fragment_path[len] == '/';
}

/* The socket and the timer first: they would start the service again. */
static int stop_remains(struct manager *m, const char *directory, const char *name, struct error *err)
{
	static const char *const suffixes[] = {SOCKET_SUFFIX, TIMER_SUFFIX, SERVICE_SUFFIX};
	char names[3][UNIT_NAME_MAX];
	const char *units[3];
	struct unit_state states[3] = {};
	struct error ignored;
	int r;

	for (size_t k = 0; k < 3; k++)
		units[k] = unit_name(name, suffixes[k], names[k]);
	r = manager_examine(m, units, 3, states, err);
	for (size_t k = 0; k < 3 && r == 0; k++) {
		if (!is_ours(&states[k], directory))
			continue;
		r = manager_stop(m, units[k], k < 2 ? SOCKET_TIMEOUT : USEC_INFINITY, err);
		(void)manager_reset_failed(m, units[k], &ignored);
	}
	unit_states_clear(states, 3);
	return r < 0 ? -1 : manager_reload(m, err);
}

static void end_removal(struct manager *m, enum scope scope, const char *directory, const char *name)
{
	char runtime[PATH_MAX], path[PATH_MAX], file[UNIT_NAME_MAX];
	struct error err;

	if (stop_remains(m, directory, name, &err) < 0) {
		note_print("'%s' was removed, but its units may still run: %s", name, err.text);
		return;
	}
	if (runtime_directory_find(scope, runtime, &err) == 0 &&
	    path_join(runtime, unit_name(name, ".stats", file), path, &err) == 0)
		(void)unlink(path);
	unfinished_end(scope, name);
	note_print("finished the removal of '%s', which had been broken off", name);
}

static void open_socket(struct manager *m, enum scope scope, const char *name)
{
	char unit[UNIT_NAME_MAX];
	struct error err;

	if (manager_reload(m, &err) < 0 ||
	    manager_start(m, unit_name(name, SOCKET_SUFFIX, unit), SOCKET_TIMEOUT, &err) < 0)
		note_print("a change of '%s' was broken off, and its socket cannot be opened again: %s", name,
			   err.text);
	else
		note_print("a change of '%s' was broken off: its socket is open again", name);
	/* Not before: this may be broken off, too. Also after a failure: a person may repair or remove it. */
	unfinished_end(scope, name);
}

/* Was the socket open before? */
static bool was_open(enum scope scope, const char *name)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	struct error ignored;

	return marker_path(scope, name, path) == 0 && file_read(AT_FDCWD, path, 64, &text, NULL, &ignored) == 0 &&
	       strcmp(text, OPEN) == 0;
}

static void settle(struct manager *m, enum scope scope, const char *directory, const char *name)
{
	if (!has_file(directory, name, SOCKET_SUFFIX))
		end_removal(m, scope, directory, name);
	else if (was_open(scope, name) && has_file(directory, name, SERVICE_SUFFIX))
		open_socket(m, scope, name);
	else
		unfinished_end(scope, name);
}

/* The next marker of the directory; NAME is cut off in the entry. */
static const char *next_name(DIR *dir)
{
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		size_t len = strlen(e->d_name), suffix = strlen(SUFFIX);

		if (len <= suffix || strcmp(e->d_name + len - suffix, SUFFIX) != 0)
			continue;
		e->d_name[len - suffix] = '\0';
		if (instance_name_is_valid(e->d_name))
			return e->d_name;
	}
	return NULL;
}

static DIR *open_markers(enum scope scope)
{
	char runtime[PATH_MAX];
	struct error ignored;

	return runtime_directory_find(scope, runtime, &ignored) < 0 ? NULL : opendir(runtime);
}

void unfinished_settle(enum scope scope, const char *directory)
{
	_cleanup_dir_ DIR *dir = open_markers(scope);
	_cleanup_manager_ struct manager *m = NULL;
	struct error ignored;
	const char *name;

	while ((name = next_name(dir))) {
		if (!m && manager_connect(scope, &m, &ignored) < 0)
			return;
		settle(m, scope, directory, name);
	}
}

void unfinished_note_removals(enum scope scope, const char *directory)
{
	_cleanup_dir_ DIR *dir = open_markers(scope);
	const char *name;

	while ((name = next_name(dir))) {
		if (!has_file(directory, name, SOCKET_SUFFIX))
			note_print(UNFINISHED_REMOVAL, name);
	}
}
