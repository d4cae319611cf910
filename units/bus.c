#include "units/bus.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "units/paths.h"

#define REVIVAL_TIMEOUT	   (10 * USEC_PER_SEC)
#define REVIVAL_PAUSE_MSEC 50
#define REVIVALS_MAX	   10

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

int bus_connect(struct manager *m, struct error *err)
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

void bus_disconnect(struct manager *m)
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
		bus_disconnect(m);
		if (bus_connect(m, &ignored) == 0)
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
