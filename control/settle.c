#include "control/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "backends/backend.h"
#include "backends/engine.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/spawn.h"
#include "control/instance_engine.h"
#include "control/note.h"
#include "control/stranger.h"
#include "units/paths.h"
#include "units/query.h"
#include "units/sleep_command.h"

#define ENGINE_TIMEOUT (10 * USEC_PER_SEC)

const char *settle_stop_command(const struct instance *i, char ret[static STOP_COMMAND_MAX])
{
	if (i->unit)
		snprintf(ret, STOP_COMMAND_MAX, "systemctl %sstop %s", i->scope == SCOPE_USER ? "--user " : "",
			 i->unit);
	else
		snprintf(ret, STOP_COMMAND_MAX, "%s stop %s", backend_kind_name(i->backend), i->container_name);
	return ret;
}

/* The variables that a service shares with this process, and its runtime directory. An engine socket from the shell's
 * environment does not belong to the instance. */
#define N_KEPT 4
struct environment {
	char texts[N_KEPT + 1][PATH_MAX + 64];
	char *list[N_KEPT + 2];
};

static int make_environment(enum scope scope, struct environment *e, struct error *err)
{
	static const char *const kept[N_KEPT] = {"PATH", "HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"};
	char runtime[PATH_MAX];
	size_t n = 0;

	if (runtime_directory_find(scope, runtime, err) < 0)
		return -1;
	for (size_t k = 0; k < N_KEPT; k++) {
		const char *value = getenv(kept[k]);

		if (value &&
		    snprintf(e->texts[n], sizeof(e->texts[n]), "%s=%s", kept[k], value) < (int)sizeof(e->texts[n]))
			e->list[n] = e->texts[n], n++;
	}
	snprintf(e->texts[n], sizeof(e->texts[n]), "RUNTIME_DIRECTORY=%s", runtime);
	e->list[n] = e->texts[n];
	e->list[n + 1] = NULL;
	return 0;
}

/* Keeps the last line that it reads, without "PROGRAM: " before it. */
static void read_words(int fd, char *ret, size_t size)
{
	_cleanup_free_ char *line = NULL;
	FILE *f = fdopen(fd, "r");
	size_t room = 0;

	ret[0] = '\0';
	while (f && getline(&line, &room, f) > 0) {
		size_t program = strcspn(line, " ");

		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			snprintf(ret, size, "%s", program > 0 && line[program - 1] == ':' ? line + program + 1 : line);
	}
	if (f)
		fclose(f);
	else
		close(fd);
}

static int spawn_action(const struct command_line *c, struct environment *e, int stderr_fd, pid_t *ret,
			struct error *err)
{
	const struct spawn program = {
		.argv = (const char *const *)c->words, .env = e->list, .output = SPAWN_NOWHERE, .errors = stderr_fd};
	int r = spawn(&program, ret);

	return r == 0 ? 0 : error_errno(err, r, "cannot run '%s'", c->words[0]);
}

int settle_run_action(enum scope scope, const struct command_line *c, char *ret_words, size_t size, struct error *err)
{
	struct environment e;
	int fds[2], status;
	pid_t pid;

	if (make_environment(scope, &e, err) < 0)
		return -1;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot run '%s'", c->words[0]);
	if (spawn_action(c, &e, fds[1], &pid, err) < 0) {
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	close(fds[1]);
	read_words(fds[0], ret_words, size);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return error_errno(err, errno, "cannot wait for '%s'", c->words[0]);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return error_set(err, ECHILD, "'%s' was killed by signal %d", c->words[0], WTERMSIG(status));
	return error_set(err, ECHILD, "%s", ret_words[0] ? ret_words : "the action failed without a word");
}

/* An ordinary user can at most look at an instance of the system. */
static bool may_act(const struct instance *i)
{
	return i->scope == SCOPE_USER || geteuid() == 0;
}

/* Only the engine's API counts. A container that is gone, or is being removed, does not run. */
static int look(const struct instance *i, struct engine *e, struct container *c, bool *ret_runs, struct error *err)
{
	e->deadline = now_usec() + ENGINE_TIMEOUT;
	*ret_runs = false;
	if (e->backend->inspect(e, i->container_name, c, err) < 0)
		return error_forgive(err, ENOENT)
			       ? 0
			       : error_context(err, "it cannot be told whether the container '%s' runs",
					       i->container_name);
	*ret_runs = c->state == CONTAINER_RUNNING || c->state == CONTAINER_RESTARTING || c->state == CONTAINER_UNKNOWN;
	return 0;
}

/* A client that waited in the queue, or the schedule. */
static bool is_awake_again(struct manager *m, const struct instance *i)
{
	char unit[UNIT_NAME_MAX];
	const char *name = unit_name(i->name, SERVICE_SUFFIX, unit);
	struct unit_state state = {};
	struct error ignored;
	bool awake = m && manager_query(m, &name, 1, &state, &ignored) == 0 &&
		     (strcmp(state.active_state, "active") == 0 || strcmp(state.active_state, "activating") == 0);

	unit_states_clear(&state, 1);
	return awake;
}

int settle_lock_container(const struct instance *i, const struct engine *e, const char *id, struct container_lock *ret,
			  struct error *err)
{
	uint64_t deadline = now_usec() + LOCK_PATIENCE;
	char directory[PATH_MAX], named[LOCK_NAME_MAX];

	lock_name(i->backend, e->socket, i->container_name, named);
	if (runtime_directory_find(i->scope, directory, err) < 0 || directory_make(directory, 0755, err) < 0 ||
	    container_lock_exclusive(ret, directory, named, i->unit, deadline, err) < 0)
		return -1;
	return i->unit ? 0 : container_lock_found_exclusive(ret, directory, id, deadline, err) < 0 ? -1 : 0;
}

/* Stops a container that the action leaves alone without a person's order: the unit may have been started by hand. */
static int halt(struct manager *m, const struct instance *i, struct engine *e, const struct container *c,
		struct error *err)
{
	enum stop_result how;

	e->deadline = USEC_INFINITY; /* each request has its own limit */
	if (i->idle_action == IDLE_PAUSE)
		return e->backend->pause(e, c->id, err) < 0 && !error_forgive(err, EBUSY) ? -1 : 0;
	if (i->unit && m)
		return manager_stop(m, i->unit, USEC_INFINITY, err);
	if (e->backend->stop(e, c->id, c->stop_timeout, &how, err) < 0 && !error_forgive(err, ENOENT))
		return -1;
	return 0;
}

/* The container runs after the action: returns 0 if that is right, and notes it. */
static int see_to(struct manager *m, const struct instance *i, struct engine *e, struct container *c,
		  const struct error *failure, const char *words, struct error *err)
{
	_cleanup_container_lock_ struct container_lock lock = NO_CONTAINER_LOCK;
	struct instance same = *i; /* owns nothing */
	char id[CONTAINER_ID_SIZE];
	bool runs;

	if (is_awake_again(m, i)) {
		note_print("'%s' was woken again meanwhile", i->name);
		return 0;
	}
	if (!may_act(i))
		return error_set(err, EACCES, "the container '%s' still runs, and only root may stop it",
				 i->container_name);
	if (i->keep_running && failure) {
		*err = *failure;
		return -1;
	}
	if (i->keep_running) {
		if (words[0])
			note_print("%s", words);
		else
			note_print("the container '%s' still runs: sockwake did not start it (--keep-running)",
				   i->container_name);
		return 0;
	}
	if (settle_lock_container(i, e, c->id, &lock, err) < 0) {
		if (!error_forgive(err, EWOULDBLOCK))
			return -1;
		note_print("the container '%s' still runs: another instance uses it", i->container_name);
		return 0;
	}
	same.container_name = id;
	strcpy(id, c->id);
	if (halt(m, i, e, c, err) < 0 || look(&same, e, c, &runs, err) < 0)
		return -1;
	return runs ? error_set(err, EBUSY, "the container '%s' still runs", i->container_name) : 0;
}

int settle_look(struct manager *m, const struct instance *i, const struct error *failure, const char *words,
		struct error *err)
{
	_cleanup_container_ struct container container = {};
	_cleanup_engine_ struct engine *e = NULL;
	char stranger[STRANGER_MAX];
	bool runs;

	if (engine_open(i->backend, i->scope, i->engine_socket, &e, err) < 0)
		return -1;
	if (look(i, e, &container, &runs, err) < 0)
		return i->unit && stranger_unit_rests(m, i->unit) ? error_clear(err) : -1;
	if (runs && stranger_is(m, i)) {
		note_print("%s", stranger_describe(i, stranger));
		runs = false;
	}
	if (runs)
		return see_to(m, i, e, &container, failure, words, err);
	if (!failure || i->n_dependencies == 0)
		return 0;
	*err = *failure; /* its dependencies may run */
	return -1;
}

/* Without the engine nothing more can be done, except that a unit can still be stopped. */
static int check_engine(const struct instance *i, struct error *err)
{
	_cleanup_container_ struct container container = {};
	_cleanup_engine_ struct engine *e = NULL;
	bool ignored;

	if (i->unit)
		return 0;
	return engine_open(i->backend, i->scope, i->engine_socket, &e, err) < 0 ||
			       look(i, e, &container, &ignored, err) < 0
		       ? -1
		       : 0;
}

int settle(struct manager *m, const struct instance *instance, enum settle what, struct error *err)
{
	_cleanup_command_line_ struct command_line c = {};
	struct instance i = *instance; /* owns nothing */
	char words[sizeof(err->text)] = "";
	struct error failure;
	bool failed;

	if (i.legacy) /* its services have ended: nothing else to do */
		return 0;
	i.keep_running |= what == SETTLE_OWN;
	if (i.unit && stranger_unit_rests(m, i.unit) && instance_engine_is_silent(&i)) /* nothing else can be told */
		return 0;
	if (check_engine(&i, err) < 0 || units_sleep_command(&i, &c, err) < 0)
		return -1;
	failed = may_act(&i) && settle_run_action(i.scope, &c, words, sizeof(words), &failure) < 0;
	if (what == SETTLE_ALL)
		return settle_look(m, &i, failed ? &failure : NULL, words, err);
	if (failed)
		*err = failure;
	return failed ? -1 : 0;
}
