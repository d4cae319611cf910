#include "activator/unit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "activator/bus.h"
#include "common/cleanup.h"
#include "common/clock.h"

#define MANAGER_NAME	  "org.freedesktop.systemd1"
#define MANAGER_PATH	  "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

/* A job of the manager's, whose end is awaited. */
struct job {
	const char *path;
	bool ended;
	char result[32]; /* "done", "failed", "timeout", … */
};

static const char *systemctl(enum scope scope)
{
	return scope == SCOPE_USER ? "systemctl --user" : "systemctl";
}

static int connect_manager(enum scope scope, sd_bus **ret, struct error *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	_cleanup_bus_ sd_bus *connection = NULL;
	char address[PATH_MAX];
	int r;

	if (scope == SCOPE_SYSTEM)
		snprintf(address, sizeof(address), "unix:path=/run/systemd/private");
	else if (runtime && *runtime)
		snprintf(address, sizeof(address), "unix:path=%s/systemd/private", runtime);
	else
		snprintf(address, sizeof(address), "unix:path=/run/user/%u/systemd/private", geteuid());
	if (bus_load(err) < 0)
		return -1;
	r = bus.sd_bus_new(&connection);
	if (r >= 0)
		r = bus.sd_bus_set_address(connection, address);
	if (r >= 0)
		r = bus.sd_bus_start(connection);
	if (r < 0)
		return error_set(err, ENOTCONN, "cannot reach the service manager at '%s': %s", address, strerror(-r));
	*ret = steal_ptr(&connection);
	return 0;
}

/* JobRemoved(u id, o job, s unit, s result): org.freedesktop.systemd1(5). */
static int on_job_removed(sd_bus_message *m, void *data, sd_bus_error *error)
{
	const char *path, *unit, *result;
	struct job *job = data;
	uint32_t id;

	(void)error;
	if (bus.sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) >= 0 && job->path &&
	    strcmp(path, job->path) == 0) {
		job->ended = true;
		snprintf(job->result, sizeof(job->result), "%s", result);
	}
	return 0;
}

static int await_job(sd_bus *connection, const struct job *job, const char *unit, uint64_t deadline, struct error *err)
{
	while (!job->ended) {
		int r = bus.sd_bus_process(connection, NULL);
		uint64_t now = now_usec();

		if (r < 0)
			return error_set(err, ENOTCONN, "lost the service manager while waiting for '%s': %s", unit,
					 strerror(-r));
		if (r > 0)
			continue;
		if (now >= deadline)
			return error_set(err, ETIMEDOUT, "the unit '%s' did not get there in time", unit);
		r = bus.sd_bus_wait(connection, deadline == USEC_INFINITY ? UINT64_MAX : deadline - now);
		if (r < 0 && r != -EINTR)
			return error_set(err, ENOTCONN, "lost the service manager while waiting for '%s': %s", unit,
					 strerror(-r));
	}
	return 0;
}

/* Calls StartUnit or StopUnit and waits for the job. */
static int run_job(sd_bus *connection, enum scope scope, const char *method, const char *unit, uint64_t deadline,
		   struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_err = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	struct job job = {};
	int r;

	/* The reply comes before the job's end is looked at: signals are queued during a call. */
	r = bus.sd_bus_match_signal(connection, NULL, NULL, MANAGER_PATH, MANAGER_INTERFACE, "JobRemoved",
				    on_job_removed, &job);
	if (r >= 0)
		r = bus.sd_bus_call_method(connection, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, "Subscribe", NULL,
					   NULL, "");
	if (r >= 0)
		r = bus.sd_bus_call_method(connection, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, method, &bus_err,
					   &reply, "ss", unit, "replace");
	if (r < 0 && bus.sd_bus_error_has_name(&bus_err, "org.freedesktop.systemd1.NoSuchUnit"))
		return error_set(err, ENOENT, "there is no unit '%s': '%s list-unit-files' lists those that there are",
				 unit, systemctl(scope));
	if (r >= 0)
		r = bus.sd_bus_message_read(reply, "o", &job.path);
	if (r < 0)
		return error_set(err, ENOTCONN, "the service manager does not do %s of '%s': %s", method, unit,
				 bus_err.message ? bus_err.message : strerror(-r));
	if (await_job(connection, &job, unit, deadline, err) < 0)
		return -1;
	if (strcmp(job.result, "done") != 0)
		return error_set(err, ECHILD, "%s of '%s' ended as '%s': '%s status %s' may say why", method, unit,
				 job.result, systemctl(scope), unit);
	return 0;
}

/* Is the unit active now? Unknown ones are not. */
static bool is_active(sd_bus *connection, const char *unit)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_free_ char *state = NULL;
	const char *path;

	return bus.sd_bus_call_method(connection, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, "GetUnit", NULL,
				      &reply, "s", unit) >= 0 &&
	       bus.sd_bus_message_read(reply, "o", &path) >= 0 &&
	       bus.sd_bus_get_property_string(connection, MANAGER_NAME, path, "org.freedesktop.systemd1.Unit",
					      "ActiveState", NULL, &state) >= 0 &&
	       strcmp(state, "active") == 0;
}

int unit_start(enum scope scope, const char *unit, uint64_t deadline, bool *ret_ran, struct error *err)
{
	_cleanup_bus_ sd_bus *connection = NULL;

	if (connect_manager(scope, &connection, err) < 0)
		return -1;
	*ret_ran = is_active(connection, unit);
	return *ret_ran ? 0 : run_job(connection, scope, "StartUnit", unit, deadline, err);
}

int unit_stop(enum scope scope, const char *unit, uint64_t deadline, struct error *err)
{
	_cleanup_bus_ sd_bus *connection = NULL;

	if (connect_manager(scope, &connection, err) < 0)
		return -1;
	return run_job(connection, scope, "StopUnit", unit, deadline, err);
}
