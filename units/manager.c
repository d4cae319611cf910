#include "units/manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "units/ask.h"

#define CONNECT_TIMEOUT (3 * USEC_PER_SEC)
#define CALL_TIMEOUT	(30 * USEC_PER_SEC)
#define RELOAD_TIMEOUT	(180 * USEC_PER_SEC)

/* How many competing start requests a stop withstands. */
#define STOP_TRIES 5

const char *manager_option(const struct manager *m)
{
	return m->scope == SCOPE_USER ? "--user " : "";
}

int manager_connect(enum scope scope, struct manager **ret, struct error *err)
{
	_cleanup_manager_ struct manager *m = calloc(1, sizeof(*m));

	if (!m)
		return error_errno(err, ENOMEM, "cannot connect to the service manager");
	*m = (struct manager){.scope = scope, .for_command = true};
	if (bus_connect(m, now_usec() + CONNECT_TIMEOUT, err) < 0) {
		err->code = err->code == ENOENT ? ENOTCONN : err->code; /* libsystemd is missing */
		return -1;
	}
	*ret = steal_ptr(&m);
	return 0;
}

bool manager_is_there(enum scope scope)
{
	struct error ignored;
	char path[PATH_MAX];

	return manager_socket(scope, path, &ignored) == 0 && access(path, F_OK) == 0;
}

void manager_close(struct manager **m)
{
	if (!*m)
		return;
	bus_disconnect(*m);
	free(*m);
	*m = NULL;
}

int manager_each_directory(struct manager *m, directory_visitor visit, void *data, struct error *err)
{
	static const char what[] = "cannot ask the service manager where it looks for units";
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *path;
	int r;

	if (ask_property(m, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnitPath", "as", what, &reply, err) < 0)
		return -1;
	r = bus.sd_bus_message_enter_container(reply, 'a', "s");
	while (r >= 0 && (r = bus.sd_bus_message_read(reply, "s", &path)) > 0)
		visit(data, path);
	return r < 0 ? bus_failed(m, err, what, r, NULL) : 0;
}

struct sought {
	const char *directory;
	bool found;
};

static void compare(void *data, const char *directory)
{
	struct sought *s = data;

	s->found |= strcmp(directory, s->directory) == 0;
}

int manager_looks_in(struct manager *m, const char *directory, bool *ret, struct error *err)
{
	struct sought s = {.directory = directory};
	int r = manager_each_directory(m, compare, &s, err);

	*ret = s.found;
	return r;
}

int manager_reload(struct manager *m, struct error *err)
{
	return ask_manager(m, NULL, RELOAD_TIMEOUT, "cannot make the service manager reload its units", err, "Reload",
			   NULL);
}

/* How a job may end (org.freedesktop.systemd1(5), JobRemoved). */
static const struct {
	const char *result, *means;
} job_results[] = {
	{"canceled", "somebody else wanted something else of it meanwhile: try again"},
	{"timeout", "it took too long"},
	{"failed", "it failed"},
	{"dependency", "something that it needs failed"},
	{"invalid", "it cannot do that"},
	{"assert", "one of its conditions is not met"},
	{"unsupported", "this machine does not support it"},
};

static int job_failed(const char *what, const char *result, struct error *err)
{
	for (size_t k = 0; k < sizeof(job_results) / sizeof(*job_results); k++) {
		if (strcmp(result, job_results[k].result) == 0)
			return error_set(err, EREMOTEIO, "%s: %s", what, job_results[k].means);
	}
	return error_set(err, EREMOTEIO, "%s: the job ended with '%s'", what, result);
}

static int run_job_once(struct manager *m, const char *method, const char *what, const char *unit,
			uint64_t timeout_usec, struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	int r = bus_begin_job(m, method, unit, CALL_TIMEOUT, &bus_error);

	if (r >= 0 && timeout_usec == 0)
		return 0;
	if (r >= 0)
		r = bus_await_job(m, time_from_now(timeout_usec));
	if (r <= 0)
		return bus_failed(m, err, what, r < 0 ? r : -ETIMEDOUT, &bus_error);
	if (strcmp(m->job_result, "done") == 0 || strcmp(m->job_result, "skipped") == 0)
		return 0;
	return job_failed(what, m->job_result, err);
}

static int run_job(struct manager *m, const char *method, const char *what, const char *unit, uint64_t timeout_usec,
		   struct error *err)
{
	int r;

	do
		r = run_job_once(m, method, what, unit, timeout_usec, err);
	while (r < 0 && ask_again(m, err));
	return r;
}

bool manager_was_overruled(const struct manager *m)
{
	return strcmp(m->job_result, "canceled") == 0;
}

int manager_start_at_once(struct manager *m, const char *unit, struct error *err)
{
	return ask_manager(m, NULL, CALL_TIMEOUT, "cannot start a unit", err, "StartUnit", "ss", unit,
			   "ignore-dependencies");
}

int manager_start(struct manager *m, const char *unit, uint64_t timeout_usec, struct error *err)
{
	char what[320];

	snprintf(what, sizeof(what), "cannot start %s", unit);
	return run_job(m, "StartUnit", what, unit, timeout_usec, err);
}

int manager_restart(struct manager *m, const char *unit, uint64_t timeout_usec, struct error *err)
{
	char what[320];

	snprintf(what, sizeof(what), "cannot restart %s", unit);
	return run_job(m, "RestartUnit", what, unit, timeout_usec, err);
}

int manager_stop(struct manager *m, const char *unit, uint64_t timeout_usec, struct error *err)
{
	char what[320];

	snprintf(what, sizeof(what), "cannot stop %s", unit);
	for (int tries = 0; tries < STOP_TRIES; tries++) {
		if (run_job(m, "StopUnit", what, unit, timeout_usec, err) == 0)
			return error_clear(err);
		if (!manager_was_overruled(m))
			break;
	}
	return error_forgive(err, ENOENT) ? 0 : -1;
}

int manager_reset_failed(struct manager *m, const char *unit, struct error *err)
{
	char what[320];

	snprintf(what, sizeof(what), "cannot reset %s", unit);
	if (ask_manager(m, NULL, CALL_TIMEOUT, what, err, "ResetFailedUnit", "s", unit) == 0)
		return 0;
	return error_forgive(err, ENOENT) ? 0 : -1;
}
