#include "units/manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "units/bus.h"
#include "units/paths.h"

#define CALL_TIMEOUT   (30 * USEC_PER_SEC)
#define RELOAD_TIMEOUT (180 * USEC_PER_SEC)

/* So often somebody may ask for a start at the same time. */
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
	m->scope = scope;
	if (bus_connect(m, err) < 0)
		return -1;
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

static int read_unit_path(struct manager *m, char ***ret, struct error *err)
{
	_cleanup_(sd_bus_error_free) sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	uint64_t began = log_clock();
	int r = sd_bus_get_property_strv(m->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnitPath", &bus_error,
					 ret);

	bus_tell("Get", "UnitPath", began, r);
	return r < 0 ? bus_failed(m, err, "cannot ask the service manager where it looks for units", r, &bus_error) : 0;
}

int manager_looks_in(struct manager *m, const char *directory, bool *ret, struct error *err)
{
	char **paths = NULL;
	int r;

	do
		r = read_unit_path(m, &paths, err);
	while (r < 0 && bus_revive(m, err));
	if (r < 0)
		return -1;
	*ret = false;
	for (char **p = paths; p && *p; p++) {
		*ret |= strcmp(*p, directory) == 0;
		free(*p);
	}
	free(paths);
	return 0;
}

int manager_reload(struct manager *m, struct error *err)
{
	return bus_call(m, NULL, RELOAD_TIMEOUT, "cannot make the service manager reload its units", err, "Reload",
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

static int wait_for_job(struct manager *m, const char *job, uint64_t timeout_usec, const char *what, struct error *err)
{
	uint64_t now = now_usec(), end, began = log_clock();
	int r = 0;

	if (__builtin_add_overflow(now, timeout_usec, &end))
		end = USEC_INFINITY;
	m->job = job;
	m->job_result[0] = '\0';
	while (r >= 0 && !m->job_result[0]) {
		r = sd_bus_process(m->bus, NULL);
		if (r != 0)
			continue;
		now = now_usec();
		if (now >= end) {
			r = -ETIMEDOUT;
			break;
		}
		r = sd_bus_wait(m->bus, end == USEC_INFINITY ? UINT64_MAX : end - now);
		if (r == -EINTR)
			r = 0;
	}
	m->job = NULL;
	if (r < 0)
		return bus_failed(m, err, what, r, NULL);
	log_debug("service manager: the job ended as '%s' after %.1f ms", m->job_result, log_took(began));
	if (strcmp(m->job_result, "done") == 0 || strcmp(m->job_result, "skipped") == 0)
		return 0;
	return job_failed(what, m->job_result, err);
}

static int run_job_once(struct manager *m, const char *method, const char *what, const char *unit,
			uint64_t timeout_usec, struct error *err)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *job;
	int r;

	if (bus_call(m, &reply, CALL_TIMEOUT, what, err, method, "ss", unit, "replace") < 0)
		return -1;
	r = sd_bus_message_read(reply, "o", &job);
	if (r < 0)
		return bus_failed(m, err, what, r, NULL);
	if (timeout_usec == 0)
		return 0;
	return wait_for_job(m, job, timeout_usec, what, err);
}

static int run_job(struct manager *m, const char *method, const char *what, const char *unit, uint64_t timeout_usec,
		   struct error *err)
{
	int r;

	do
		r = run_job_once(m, method, what, unit, timeout_usec, err);
	while (r < 0 && bus_revive(m, err));
	return r;
}

int manager_start_at_once(struct manager *m, const char *unit, struct error *err)
{
	return bus_call(m, NULL, CALL_TIMEOUT, "cannot start a unit", err, "StartUnit", "ss", unit,
			"ignore-dependencies");
}

int manager_start(struct manager *m, const char *unit, uint64_t timeout_usec, struct error *err)
{
	char what[320];

	snprintf(what, sizeof(what), "cannot start %s", unit);
	return run_job(m, "StartUnit", what, unit, timeout_usec, err);
}

int manager_stop(struct manager *m, const char *unit, uint64_t timeout_usec, struct error *err)
{
	char what[320];

	snprintf(what, sizeof(what), "cannot stop %s", unit);
	for (int tries = 0; tries < STOP_TRIES; tries++) {
		m->job_result[0] = '\0';
		if (run_job(m, "StopUnit", what, unit, timeout_usec, err) == 0)
			return 0;
		if (strcmp(m->job_result, "canceled") != 0)
			break;
	}
	return err->code == ENOENT ? 0 : -1;
}

int manager_reset_failed(struct manager *m, const char *unit, struct error *err)
{
	char what[320];

	snprintf(what, sizeof(what), "cannot reset %s", unit);
	if (bus_call(m, NULL, CALL_TIMEOUT, what, err, "ResetFailedUnit", "s", unit) == 0)
		return 0;
	return err->code == ENOENT ? 0 : -1;
}
