#include "units/manager.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/clock.h"
#include "units/bus.h"
#include "units/paths.h"

#define CALL_TIMEOUT   (30 * USEC_PER_SEC)
#define RELOAD_TIMEOUT (180 * USEC_PER_SEC)

#define REVIVAL_TIMEOUT	   (10 * USEC_PER_SEC)
#define REVIVAL_PAUSE_MSEC 50
#define REVIVALS_MAX	   10

struct manager {
	sd_bus *bus;
	enum scope scope;
	unsigned revivals;
	const char *job;     /* the object path of the job that is waited for */
	char job_result[32]; /* "" until it is over */
};

sd_bus *manager_bus(struct manager *m)
{
	return m->bus;
}

const char *manager_option(const struct manager *m)
{
	return m->scope == SCOPE_USER ? "--user " : "";
}

static const struct {
	const char *name;
	int code;
} error_names[] = {
	{"org.freedesktop.systemd1.NoSuchUnit", ENOENT},
	{"org.freedesktop.DBus.Error.FileNotFound", ENOENT},
	{"org.freedesktop.DBus.Error.AccessDenied", EACCES},
	{"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", EACCES},
	{"org.freedesktop.DBus.Error.Timeout", ETIMEDOUT},
	{"org.freedesktop.DBus.Error.NoReply", ETIMEDOUT},
	{"org.freedesktop.DBus.Error.Disconnected", ENOTCONN},
	{"org.freedesktop.DBus.Error.ServiceUnknown", ENOTCONN},
};

int bus_failed(struct error *err, const char *what, int r, const sd_bus_error *bus_error)
{
	for (size_t k = 0; bus_error && bus_error->name && k < sizeof(error_names) / sizeof(*error_names); k++) {
		if (strcmp(bus_error->name, error_names[k].name) == 0)
			return error_set(err, error_names[k].code, "%s: %s%s", what,
					 bus_error->message ? bus_error->message : bus_error->name,
					 error_names[k].code == EACCES ? ": run this as root (sudo)" : "");
	}
	if (bus_error && bus_error->message)
		return error_set(err, r == -ETIMEDOUT ? ETIMEDOUT : EREMOTEIO, "%s: %s", what, bus_error->message);
	if (r == -ECONNRESET || r == -EPIPE)
		r = -ENOTCONN;
	return error_errno(err, -r, "%s", what);
}

/* The manager's own socket, which systemctl(1) uses too: it spares the way over the bus daemon, and works where none
 * runs, as in sessions without dbus-user-session. */
static int connect_directly(enum scope scope, sd_bus **ret)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	char runtime[PATH_MAX] = "/run", address[PATH_MAX + 64];
	struct error ignored;
	int r;

	if (scope == SCOPE_SYSTEM ? geteuid() != 0 : user_runtime_directory(runtime, &ignored) < 0)
		return -EACCES;
	if (strpbrk(runtime, ",;%=: "))
		return -EINVAL; /* what an address would have to escape */
	snprintf(address, sizeof(address), "unix:path=%s/systemd/private", runtime);
	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		return r;
	*ret = steal_ptr(&bus);
	return 0;
}

static int on_job_removed(sd_bus_message *message, void *data, sd_bus_error *unused)
{
	struct manager *m = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)unused;
	if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0 && m->job &&
	    strcmp(path, m->job) == 0)
		snprintf(m->job_result, sizeof(m->job_result), "%s", result);
	return 0;
}

static int subscribe(struct manager *m, struct error *err)
{
	_cleanup_(sd_bus_error_free) sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	int r = sd_bus_match_signal(m->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
				    on_job_removed, m);

	if (r < 0)
		return bus_failed(err, "cannot listen to the service manager", r, NULL);
	r = sd_bus_call_method(m->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", &bus_error, NULL,
			       NULL);
	return r < 0 ? bus_failed(err, "cannot subscribe to the service manager", r, &bus_error) : 0;
}

static int open_bus(struct manager *m, struct error *err)
{
	int r = connect_directly(m->scope, &m->bus);

	if (r < 0)
		r = m->scope == SCOPE_SYSTEM ? sd_bus_open_system(&m->bus) : sd_bus_open_user(&m->bus);
	if (r < 0 && m->scope == SCOPE_USER)
		return error_set(err, ENOTCONN,
				 "this user's service manager does not answer (%s): log in as the user, or run "
				 "'loginctl enable-linger' for it and set XDG_RUNTIME_DIR=/run/user/%u",
				 strerror(-r), (unsigned)geteuid());
	if (r < 0)
		return error_set(err, ENOTCONN,
				 "the system's service manager does not answer (%s): is systemd running?",
				 strerror(-r));
	return subscribe(m, err);
}

static void close_bus(struct manager *m)
{
	sd_bus_flush_close_unref(m->bus);
	m->bus = NULL;
}

bool bus_revive(struct manager *m, const struct error *err)
{
	uint64_t end = now_usec() + REVIVAL_TIMEOUT;
	struct error ignored;

	if (err->code != ENOTCONN || m->revivals++ == REVIVALS_MAX)
		return false;
	for (;;) {
		close_bus(m);
		if (open_bus(m, &ignored) == 0)
			return true;
		if (now_usec() >= end)
			return false;
		(void)poll(NULL, 0, REVIVAL_PAUSE_MSEC);
	}
}

static int call_once(struct manager *m, sd_bus_message **ret, uint64_t timeout, const char *what, struct error *err,
		     const char *method, const char *types, va_list ap)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	int r;

	r = sd_bus_message_new_method_call(m->bus, &call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
	if (r >= 0 && types)
		r = sd_bus_message_appendv(call, types, ap);
	if (r >= 0)
		r = sd_bus_call(m->bus, call, timeout, &bus_error, ret);
	return r < 0 ? bus_failed(err, what, r, &bus_error) : 0;
}

int bus_call(struct manager *m, sd_bus_message **ret, uint64_t timeout, const char *what, struct error *err,
	     const char *method, const char *types, ...)
{
	va_list ap;
	int r;

	do {
		va_start(ap, types);
		r = call_once(m, ret, timeout, what, err, method, types, ap);
		va_end(ap);
	} while (r < 0 && bus_revive(m, err));
	return r;
}

int manager_connect(enum scope scope, struct manager **ret, struct error *err)
{
	_cleanup_manager_ struct manager *m = calloc(1, sizeof(*m));

	if (!m)
		return error_errno(err, ENOMEM, "cannot connect to the service manager");
	m->scope = scope;
	if (open_bus(m, err) < 0)
		return -1;
	*ret = steal_ptr(&m);
	return 0;
}

void manager_close(struct manager **m)
{
	if (!*m)
		return;
	close_bus(*m);
	free(*m);
	*m = NULL;
}

static int read_unit_path(struct manager *m, char ***ret, struct error *err)
{
	_cleanup_(sd_bus_error_free) sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	int r = sd_bus_get_property_strv(m->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnitPath", &bus_error,
					 ret);

	return r < 0 ? bus_failed(err, "cannot ask the service manager where it looks for units", r, &bus_error) : 0;
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
	uint64_t now = now_usec(), end;
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
		return bus_failed(err, what, r, NULL);
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
		return bus_failed(err, what, r, NULL);
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
	if (run_job(m, "StopUnit", what, unit, timeout_usec, err) == 0)
		return 0;
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
