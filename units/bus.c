#include "units/bus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/path.h"

#define PAUSE (20 * USEC_PER_MSEC)

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
	{"org.freedesktop.DBus.Error.ServiceUnknown", ENOTCONN},
};

/* sd-bus answers calls that are pending when the connection breaks, and later calls, with several errors. On the way
 * over a bus daemon, the daemon reports the loss. */
static bool is_lost(const struct manager *m, int r, const sd_bus_error *bus_error)
{
	return r == -ECONNRESET || r == -EPIPE || r == -ENOTCONN || !m->bus || bus.sd_bus_is_open(m->bus) <= 0 ||
	       (bus.sd_bus_error_has_name(bus_error, SD_BUS_ERROR_NO_REPLY) && bus_error->message &&
		strstr(bus_error->message, "disconnected"));
}

const char *bus_reason(struct manager *m, int r, const sd_bus_error *bus_error)
{
	m->lost = is_lost(m, r, bus_error);
	return bus_error && bus_error->message ? bus_error->message : strerror(-r);
}

int bus_failed(struct manager *m, struct error *err, const char *what, int r, const sd_bus_error *bus_error)
{
	const char *reason = bus_reason(m, r, bus_error), *hint = "";
	int code = bus_error && bus_error->message && r != -ETIMEDOUT ? EREMOTEIO : -r;

	if (m->lost)
		return error_set(err, ENOTCONN, "%s: the connection to the service manager was lost; try again", what);
	for (size_t k = 0; k < sizeof(error_names) / sizeof(*error_names); k++) {
		if (bus.sd_bus_error_has_name(bus_error, error_names[k].name)) {
			code = error_names[k].code;
			hint = code == EACCES ? ": run this as root (sudo)" : "";
		}
	}
	m->lost = code == ENOTCONN; /* the bus daemon has no manager for now */
	return error_set(err, code, "%s: %s%s", what, reason, hint);
}

void bus_tell(const char *method, const char *about, uint64_t began, int r)
{
	log_debug("service manager: %s%s%s: %s after %.1f ms", method, *about ? " " : "", about,
		  r < 0 ? strerror(-r) : "done", log_took(began));
}

int manager_socket(enum scope scope, char ret[static PATH_MAX], struct error *err)
{
	char base[PATH_MAX] = "/run";

	if (scope == SCOPE_USER && path_user_runtime(base, err) < 0)
		return -1;
	return path_join(base, "systemd/private", ret, err);
}

/* The manager's own socket, which systemctl(1) uses too: it avoids the bus daemon, and works where none runs, such as
 * in sessions without dbus-user-session. */
static int connect_directly(const char *path, sd_bus **ret)
{
	_cleanup_bus_ sd_bus *connection = NULL;
	char address[PATH_MAX + 64];
	int r;

	if (strpbrk(path, ",;%"))
		return -EINVAL; /* an address would have to escape these */
	snprintf(address, sizeof(address), "unix:path=%s", path);
	r = bus.sd_bus_new(&connection);
	if (r >= 0)
		r = bus.sd_bus_set_address(connection, address);
	if (r >= 0)
		r = bus.sd_bus_start(connection);
	if (r >= 0)
		*ret = steal_ptr(&connection);
	return r;
}

/* JobRemoved(u id, o job, s unit, s result). */
static int on_job_removed(sd_bus_message *message, void *data, sd_bus_error *unused)
{
	const char *path, *unit, *result;
	struct manager *m = data;
	uint32_t id;

	(void)unused;
	if (bus.sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0 && strcmp(path, m->job) == 0) {
		snprintf(m->job_result, sizeof(m->job_result), "%s", result);
		log_debug("service manager: the job of %s ended as '%s'", unit, result);
	}
	return 0;
}

static int subscribe(struct manager *m, sd_bus_error *bus_error)
{
	uint64_t began = log_clock();
	int r;

	if (m->subscribed)
		return 0;
	r = bus.sd_bus_match_signal(m->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
				    on_job_removed, m);
	if (r >= 0)
		r = bus.sd_bus_call_method(m->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", bus_error,
					   NULL, NULL);
	bus_tell("Subscribe", "", began, r);
	m->subscribed = r >= 0;
	return r;
}

static int connect_once(struct manager *m, struct error *err)
{
	char path[PATH_MAX];
	int r;

	if (manager_socket(m->scope, path, err) < 0)
		return -1;
	r = connect_directly(path, &m->bus);
	m->lost = r < 0; /* this caller runs below that manager, so the manager will be back */
	return r < 0 ? error_set(err, ENOTCONN, "cannot reach the service manager at '%s': %s", path, strerror(-r)) : 0;
}

/* Connects as systemctl(1) does. After a failure m->lost says whether it is temporary. */
static int connect_for_command(struct manager *m, struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	struct error ignored;
	char path[PATH_MAX];
	int r = -EACCES;

	/* that of the system is root's alone */
	if (manager_socket(m->scope, path, &ignored) == 0)
		r = connect_directly(path, &m->bus);
	/* A manager that re-executes itself has closed its socket, and not opened the next one yet. */
	m->lost = r == -ECONNREFUSED;
	if (r < 0 && !m->lost)
		r = m->scope == SCOPE_SYSTEM ? bus.sd_bus_open_system(&m->bus) : bus.sd_bus_open_user(&m->bus);
	if (r < 0 && m->scope == SCOPE_USER)
		return error_set(err, ENOTCONN,
				 "this user's service manager does not answer (%s): log in as the user, or run "
				 "'loginctl enable-linger' for it and set XDG_RUNTIME_DIR=/run/user/%u",
				 strerror(-r), (unsigned)geteuid());
	if (r < 0)
		return error_set(err, ENOTCONN,
				 "the system's service manager does not answer (%s): is systemd running?",
				 strerror(-r));
	r = subscribe(m, &bus_error);
	return r < 0 ? bus_failed(m, err, "cannot subscribe to the service manager", r, &bus_error) : 0;
}

void bus_disconnect(struct manager *m)
{
	bus_close(&m->bus);
	m->subscribed = false;
}

/* was_there: the manager was there a moment ago, and will be back. */
static int connect_patiently(struct manager *m, bool was_there, uint64_t deadline, struct error *err)
{
	if (bus_load(err) < 0)
		return -1;
	bus_disconnect(m);
	while ((m->for_command ? connect_for_command : connect_once)(m, err) < 0) {
		bus_disconnect(m);
		if ((!m->lost && !was_there) || !time_pause(PAUSE, deadline))
			return -1;
	}
	m->lost = false;
	return 0;
}

int bus_connect(struct manager *m, uint64_t deadline, struct error *err)
{
	return connect_patiently(m, false, deadline, err);
}

bool bus_revive(struct manager *m, uint64_t deadline)
{
	struct error ignored;

	if (!m->lost || time_is_over(deadline))
		return false;
	m->revivals++;
	return connect_patiently(m, true, deadline, &ignored) == 0;
}

int bus_begin_job(struct manager *m, const char *method, const char *unit, uint64_t timeout, sd_bus_error *bus_error)
{
	_cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
	uint64_t began = log_clock();
	const char *job;
	int r;

	m->job[0] = m->job_result[0] = '\0';
	r = subscribe(m, bus_error);
	if (r >= 0)
		r = bus.sd_bus_message_new_method_call(m->bus, &call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
						       method);
	if (r >= 0)
		r = bus.sd_bus_message_append(call, "ss", unit, "replace");
	if (r >= 0)
		r = bus.sd_bus_call(m->bus, call, timeout, bus_error, &reply);
	bus_tell(method, unit, began, r);
	if (r >= 0)
		r = bus.sd_bus_message_read(reply, "o", &job);
	if (r >= 0) /* its end is handled later: signals are queued during a call */
		snprintf(m->job, sizeof(m->job), "%s", job);
	return r;
}

int bus_await_job(struct manager *m, uint64_t until)
{
	while (!m->job_result[0]) {
		int r = bus.sd_bus_process(m->bus, NULL);
		uint64_t now = now_usec();

		if (r == 0 && now >= until)
			return 0;
		if (r == 0)
			r = bus.sd_bus_wait(m->bus, until == USEC_INFINITY ? UINT64_MAX : until - now);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return 1;
}
