#include "control/router_move.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/path.h"
#include "control/router_record.h"
#include "units/own_file.h"

#define UNIT_DIRECTORY	"/etc/systemd/system"
#define DROP_IN		UNIT_DIRECTORY "/docker.socket.d"
#define DROP_IN_FILE	DROP_IN "/sockwake-router.conf"
#define WANTS		UNIT_DIRECTORY "/sockets.target.wants"
#define WANTS_LINK	WANTS "/" ROUTER_SOCKET_UNIT
#define TMPFILES	"/etc/tmpfiles.d"
#define TMPFILES_MASK	TMPFILES "/podman-docker.conf"
#define TMPFILES_VENDOR "/usr/lib/tmpfiles.d/podman-docker.conf"

static const char drop_in[] = OWN_FILE_MARK ": 'sockwake router disable' removes it\n"
					    "[Socket]\n"
					    "ListenStream=\n"
					    "ListenStream=" ROUTER_ENGINE_SOCKET "\n"
					    "SocketUser=root\n"
					    "SocketGroup=sockwake-engine\n"
					    "SocketMode=0660\n";

/* A path that is too long is an error of whoever has made the root. */
#define PATH(name, file)                                                                                               \
	char name[PATH_MAX];                                                                                           \
	(void)snprintf(name, sizeof(name), "%s%s", m->root, file)

static bool exists(const struct router_move *m, const char *file)
{
	struct stat st;

	PATH(path, file);
	return lstat(path, &st) == 0;
}

static int remove_file(const struct router_move *m, const char *file, struct error *err)
{
	PATH(path, file);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, errno, "cannot remove '%s'", path);
	return 0;
}

/* Replaces what is there: a link of podman-docker, or the router's socket. */
static int make_link(const struct router_move *m, const char *target, const char *file, struct error *err)
{
	char beside[PATH_MAX + 16];

	PATH(path, file);
	(void)snprintf(beside, sizeof(beside), "%s.sockwake", path);
	(void)unlink(beside);
	if (symlink(target, beside) < 0 || rename(beside, path) < 0) {
		(void)error_errno(err, errno, "cannot make the link '%s'", path);
		(void)unlink(beside);
		return -1;
	}
	return 0;
}

static bool is_active(const struct router_move *m, const char *unit)
{
	return m->units->is_active(m->units->data, unit);
}

enum router_progress router_move_progress(const struct router_move *m)
{
	struct router_record record;
	struct error ignored;

	if (router_record_read(m->root, &record, &ignored) < 0 || !*record.progress)
		return exists(m, DROP_IN_FILE) ? ROUTER_ON : ROUTER_OFF;
	if (strcmp(record.progress, "enabling") == 0)
		return ROUTER_ENABLING;
	return strcmp(record.progress, "disabling") == 0 ? ROUTER_DISABLING : ROUTER_ON;
}

bool router_move_is_reversible(const struct router_move *m)
{
	return exists(m, ROUTER_KEPT_SOCKET);
}

const char *router_move_docker_socket(const struct router_move *m, bool router_listens, enum router_place place)
{
	if (router_move_is_reversible(m))
		return ROUTER_KEPT_SOCKET;
	if (place == ROUTER_PLACE_FOREIGN)
		return ROUTER_SOCKET;
	if (exists(m, ROUTER_ENGINE_SOCKET))
		return ROUTER_ENGINE_SOCKET;
	return router_listens ? NULL : ROUTER_SOCKET;
}

bool router_move_meets_podman_docker(const struct router_move *m)
{
	return exists(m, TMPFILES_VENDOR);
}

static int set_progress(const struct router_move *m, struct router_record *r, const char *progress, struct error *err)
{
	(void)snprintf(r->progress, sizeof(r->progress), "%s", progress);
	return router_record_write(m->root, r, err);
}

/* A record of before knows more than what is to be seen now. */
static int begin_record(const struct router_move *m, struct router_record *r, struct error *err)
{
	ssize_t n;

	if (router_record_read(m->root, r, err) < 0)
		return -1;
	if (!*r->progress) {
		PATH(socket, ROUTER_SOCKET);
		n = readlink(socket, r->link, sizeof(r->link) - 1);
		r->link[n > 0 ? n : 0] = '\0';
		router_record_note_directory(m->root, ROUTER_STATE_DIRECTORY, r);
		router_record_note_directory(m->root, DROP_IN, r);
		router_record_note_directory(m->root, WANTS, r);
	}
	if (router_move_meets_podman_docker(m) && !exists(m, TMPFILES_MASK)) {
		router_record_note_directory(m->root, TMPFILES, r);
		r->masked = true;
	}
	return set_progress(m, r, m->undoes ? "disabling" : "enabling", err);
}

static int make_directory(const struct router_move *m, const char *directory, struct error *err)
{
	PATH(path, directory);
	return directory_make(path, 0755, err);
}

static int write_links(const struct router_move *m, const struct router_record *r, struct error *err)
{
	if (r->masked && (make_directory(m, TMPFILES, err) < 0 || make_link(m, "/dev/null", TMPFILES_MASK, err) < 0))
		return -1;
	if (make_directory(m, WANTS, err) < 0)
		return -1;
	return make_link(m, m->unit_file, WANTS_LINK, err);
}

static int stop_router(const struct router_move *m, struct error *err)
{
	return m->units->stop(m->units->data, ROUTER_SOCKET_UNIT, err) < 0
		       ? -1
		       : m->units->stop(m->units->data, ROUTER_SERVICE_UNIT, err);
}

/* systemd removes what is in the place of a socket that it opens. */
static int take_place(const struct router_move *m, struct error *err)
{
	PATH(socket, ROUTER_SOCKET);
	PATH(kept, ROUTER_KEPT_SOCKET);

	if (!is_active(m, ROUTER_SOCKET_UNIT) && !exists(m, ROUTER_KEPT_SOCKET) && link(socket, kept) < 0 &&
	    errno != ENOENT)
		return error_errno(err, errno, "cannot keep '%s'", socket);
	return m->units->start(m->units->data, ROUTER_SOCKET_UNIT, err);
}

static int write_drop_in(const struct router_move *m, struct error *err)
{
	char *before = NULL, text[sizeof(drop_in) + 1024];
	int r;

	PATH(path, DROP_IN_FILE);
	(void)snprintf(text, sizeof(text), "%s%s", drop_in, m->others);
	r = own_file_write(path, text, 0644, &before, err);
	free(before);
	return r;
}

/* Does Docker have to come back: does its socket listen, or was a restart broken off, or did it fail? */
static bool has_docker(const struct router_move *m, const struct router_record *r)
{
	return *r->restarting || is_active(m, DOCKER_SOCKET_UNIT);
}

/* The job of the socket does not wait for the service that comes back with it. The record knows what ran, so that it also
 * comes back by the next command. */
static int restart_docker(const struct router_move *m, struct router_record *r, struct error *err)
{
	bool served = is_active(m, DOCKER_SERVICE_UNIT) || strcmp(r->restarting, "service") == 0;

	(void)snprintf(r->restarting, sizeof(r->restarting), "%s", served ? "service" : "socket");
	if (router_record_write(m->root, r, err) < 0 ||
	    m->units->restart(m->units->data, DOCKER_SOCKET_UNIT, err) < 0 ||
	    (served && m->units->start(m->units->data, DOCKER_SERVICE_UNIT, err) < 0))
		return -1;
	*r->restarting = '\0';
	return 0;
}

/* From here on there is no way back but another restart. */
static int move_docker(const struct router_move *m, struct router_record *r, struct error *err)
{
	bool moves = *r->restarting || (is_active(m, DOCKER_SOCKET_UNIT) && !exists(m, ROUTER_ENGINE_SOCKET));

	PATH(kept, ROUTER_KEPT_SOCKET);
	if (moves && !m->undoes && m->confirm(m->data, router_move_is_reversible(m) ? kept : NULL, err) < 0)
		return -1;
	if (remove_file(m, ROUTER_KEPT_SOCKET, err) < 0 || write_drop_in(m, err) < 0 ||
	    m->units->reload(m->units->data, err) < 0)
		return -1;
	return moves ? restart_docker(m, r, err) : 0;
}

static bool has_lost_place(const struct router_move *m)
{
	return is_active(m, ROUTER_SOCKET_UNIT) && m->units->look(m->units->data, ROUTER_SOCKET) != ROUTER_PLACE_HELD;
}

int router_move_apply(const struct router_move *m, struct error *err)
{
	bool was_reverting = router_move_progress(m) == ROUTER_DISABLING;
	struct router_record record;

	if (begin_record(m, &record, err) < 0 || write_links(m, &record, err) < 0)
		return -1;
	/* Docker, or another program, may have taken the place of a socket that is open still. */
	if ((was_reverting || has_lost_place(m)) && stop_router(m, err) < 0)
		return -1;
	if (take_place(m, err) < 0 || move_docker(m, &record, err) < 0)
		return -1;
	return set_progress(m, &record, "enabled", err);
}

/* The drop-in first: whatever comes next, a boot finds Docker's socket in its place. */
static int remove_files(const struct router_move *m, const struct router_record *r, struct error *err)
{
	PATH(path, DROP_IN_FILE);

	if (own_file_remove(path, err) < 0 || remove_file(m, WANTS_LINK, err) < 0 ||
	    (r->masked && remove_file(m, TMPFILES_MASK, err) < 0))
		return -1;
	return remove_file(m, ROUTER_ENGINE_SOCKET, err);
}

/* *ret_empty: nothing was there, and our own socket is in the place. is_known: there was a record. */
static int give_place_back(const struct router_move *m, struct router_record *r, bool is_known, bool *ret_empty,
			   struct error *err)
{
	PATH(socket, ROUTER_SOCKET);
	PATH(kept, ROUTER_KEPT_SOCKET);

	*ret_empty = false;
	if (router_move_is_reversible(m)) {
		if (rename(kept, socket) < 0)
			return error_errno(err, errno, "cannot put '%s' back", socket);
		/* Nothing has taken its place: rename(2) leaves two names of one file alone. */
		if (remove_file(m, ROUTER_KEPT_SOCKET, err) < 0)
			return -1;
		return *r->restarting ? restart_docker(m, r, err) : 0;
	}
	if (has_docker(m, r))
		return restart_docker(m, r, err);
	if (*r->link)
		return make_link(m, r->link, ROUTER_SOCKET, err);
	*ret_empty = is_known || is_active(m, ROUTER_SOCKET_UNIT);
	return 0;
}

int router_move_revert(const struct router_move *m, struct error *err)
{
	struct router_record record;
	bool is_known, empty;

	PATH(directory, ROUTER_ENGINE_DIRECTORY);
	if (router_record_read(m->root, &record, err) < 0)
		return -1;
	is_known = *record.progress;
	if (!is_known)
		router_record_note_directory(m->root, ROUTER_STATE_DIRECTORY, &record);
	if (set_progress(m, &record, "disabling", err) < 0 || remove_files(m, &record, err) < 0 ||
	    m->units->reload(m->units->data, err) < 0 || give_place_back(m, &record, is_known, &empty, err) < 0 ||
	    stop_router(m, err) < 0)
		return -1;
	if (empty && remove_file(m, ROUTER_SOCKET, err) < 0)
		return -1;
	(void)rmdir(directory);
	return router_record_remove(m->root, &record, err);
}
