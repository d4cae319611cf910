#include "units/bus.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "units/paths.h"

#define CONNECT_TIMEOUT	   (3 * USEC_PER_SEC)
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
	{"org.freedesktop.DBus.Error.ServiceUnknown", ENOTCONN},
};

/* sd-bus answers what is still asked when the connection breaks, and what is asked afterwards, in several ways. On the way
 * over a bus daemon, that is the one who tells. */
static bool is_lost(const struct manager *m, int r, const sd_bus_error *bus_error)
{
	return r == -ECONNRESET || r == -EPIPE || r == -ENOTCONN || !m->bus || sd_bus_is_open(m->bus) <= 0 ||
	       (sd_bus_error_has_name(bus_error, SD_BUS_ERROR_NO_REPLY) && bus_error->message &&
		strstr(bus_error->message, "disconnected"));
}

int bus_failed(const struct manager *m, struct error *err, const char *what, int r, const sd_bus_error *bus_error)
{
	if (is_lost(m, r, bus_error))
		return error_set(err, ENOTCONN, "%s: the connection to the service manager was lost; try again", what);
	for (size_t k = 0; bus_error && bus_error->name && k < sizeof(error_names) / sizeof(*error_names); k++) {
		if (strcmp(bus_error->name, error_names[k].name) == 0)
			return error_set(err, error_names[k].code, "%s: %s%s", what,
					 bus_error->message ? bus_error->message : bus_error->name,
					 error_names[k].code == EACCES ? ": run this as root (sudo)" : "");
	}
	if (bus_error && bus_error->message)
		return error_set(err, r == -ETIMEDOUT ? ETIMEDOUT : EREMOTEIO, "%s: %s", what, bus_error->message);
	return error_errno(err, -r, "%s", what);
}

void bus_tell(const char *method, const char *about, uint64_t began, int r)
{
	log_debug("service manager: %s%s%s: %s after %.1f ms", method, *about ? " " : "", about,
		  r < 0 ? strerror(-r) : "done", log_took(began));
}

/* The manager's own socket, which systemctl(1) uses too: it spares the way over the bus daemon, and works where none
 * runs, as in sessions without dbus-user-session. */
static int connect_directly(enum scope scope, sd_bus **ret)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	char path[PATH_MAX], address[PATH_MAX + 64];
	struct error ignored;
	int r;

	if ((scope == SCOPE_SYSTEM && geteuid() != 0) || manager_socket(scope, path, &ignored) < 0)
		return -EACCES;
	if (strpbrk(path, ",;%=: "))
		return -EINVAL; /* what an address would have to escape */
	snprintf(address, sizeof(address), "unix:path=%s", path);
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
	uint64_t began = log_clock();
	int r = sd_bus_match_signal(m->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
				    on_job_removed, m);

	if (r < 0)
		return bus_failed(m, err, "cannot listen to the service manager", r, NULL);
	r = sd_bus_call_method(m->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", &bus_error, NULL,
			       NULL);
	bus_tell("Subscribe", "", began, r);
	return r < 0 ? bus_failed(m, err, "cannot subscribe to the service manager", r, &bus_error) : 0;
}

static int connect_once(struct manager *m, bool *ret_passes, struct error *err)
{
	int r = connect_directly(m->scope, &m->bus);

	/* One that executes itself anew has closed its socket, and not opened the next one yet. */
	*ret_passes = r == -ECONNREFUSED;
	if (r < 0 && !*ret_passes)
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
	r = subscribe(m, err);
	*ret_passes = r < 0 && err->code == ENOTCONN; /* it took the connection, and then executed itself anew */
	return r;
}

void bus_disconnect(struct manager *m)
{
	sd_bus_flush_close_unref(m->bus);
	m->bus = NULL;
}

/* was_there: there has been one a moment ago, which will be back. */
static int connect_patiently(struct manager *m, bool was_there, struct error *err)
{
	uint64_t end = now_usec() + (was_there ? REVIVAL_TIMEOUT : CONNECT_TIMEOUT);
	bool passes;

	while (connect_once(m, &passes, err) < 0) {
		bus_disconnect(m);
		if ((!passes && !was_there) || now_usec() >= end)
			return -1;
		(void)poll(NULL, 0, REVIVAL_PAUSE_MSEC);
	}
	return 0;
}

int bus_connect(struct manager *m, struct error *err)
{
	return connect_patiently(m, false, err);
}

bool bus_revive(struct manager *m, const struct error *err)
{
	struct error ignored;

	if (err->code != ENOTCONN || m->revivals++ == REVIVALS_MAX)
		return false;
	bus_disconnect(m);
	return connect_patiently(m, true, &ignored) == 0;
}

/* The first argument, where that is a string: mostly a unit's name. */
static const char *first_text(const char *types, va_list ap)
{
	return types && types[0] == 's' ? va_arg(ap, const char *) : "";
}

static int call_once(struct manager *m, sd_bus_message **ret, uint64_t timeout, const char *what, struct error *err,
		     const char *method, const char *types, va_list ap)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	uint64_t began = log_clock();
	va_list again;
	int r;

	va_copy(again, ap);
	r = sd_bus_message_new_method_call(m->bus, &call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
	if (r >= 0 && types)
		r = sd_bus_message_appendv(call, types, ap);
	if (r >= 0)
		r = sd_bus_call(m->bus, call, timeout, &bus_error, ret);
	bus_tell(method, first_text(types, again), began, r);
	va_end(again);
	return r < 0 ? bus_failed(m, err, what, r, &bus_error) : 0;
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
