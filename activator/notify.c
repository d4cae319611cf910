#include "activator/notify.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

/* For all of it. Clients are served meanwhile, but one that comes while an instance is put to sleep has to wait. */
#define NOTIFY_LIMIT USEC_PER_SEC

static int become_user(const struct passwd *pw, struct error *err)
{
	if (geteuid() == pw->pw_uid)
		return 0;
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return error_errno(err, errno, "cannot become the user '%s' to notify that person", pw->pw_name);
	return 0;
}

/* The user's own bus, or NULL when there is none: nobody is logged in. */
static sd_bus *open_bus(uid_t uid)
{
	char address[64];
	sd_bus *bus = NULL;

	snprintf(address, sizeof(address), "unix:path=/run/user/%u/bus", uid);
	if (sd_bus_new(&bus) < 0)
		return NULL;
	if (sd_bus_set_address(bus, address) < 0 || sd_bus_set_bus_client(bus, true) < 0 || sd_bus_start(bus) < 0)
		return sd_bus_unref(bus);
	return bus;
}

static int on_reply(sd_bus_message *m, void *answered, sd_bus_error *error)
{
	(void)m, (void)error;
	*(bool *)answered = true;
	return 0;
}

static bool is_sent(sd_bus *bus)
{
	uint64_t n;

	return sd_bus_is_ready(bus) > 0 && sd_bus_get_n_queued_write(bus, &n) >= 0 && n == 0;
}

/* Lets the bus take what is to be sent, and with `answered` waits for that, too; whatever the other side does, only until
 * the limit (sd_bus_call() and sd_bus_flush() would wait for a bus that does not answer at all). */
static void drive(sd_bus *bus, const bool *answered)
{
	uint64_t deadline = now_usec() + NOTIFY_LIMIT, now;
	int r;

	while ((now = now_usec()) < deadline && !(answered ? *answered : is_sent(bus))) {
		r = sd_bus_process(bus, NULL);
		if (r < 0 || (r == 0 && sd_bus_wait(bus, deadline - now) < 0))
			return;
	}
}

/* specifications.freedesktop.org/notification-spec: Notify(app, replaces, icon, summary, body, actions, hints, expiry in
 * ms; -1: as the desktop likes). "started" waits for the answer: a daemon that is not up yet is started by the bus, which
 * drops what a sender leaves behind (bus/activation.c of dbus-daemon). "stopped" finds it running. */
static void notify(sd_bus *bus, const struct options *o, const char *summary)
{
	bool answered = false;

	if (sd_bus_call_method_async(bus, NULL, "org.freedesktop.Notifications", "/org/freedesktop/Notifications",
				     "org.freedesktop.Notifications", "Notify", o->started ? on_reply : NULL, &answered,
				     "susssasa{sv}i", "sockwake", 0, "", summary,
				     o->started ? "The container was woken." : "The container was put to sleep.", 0, 0,
				     -1) >= 0)
		drive(bus, o->started ? &answered : NULL);
}

int notify_person(const struct options *o, struct error *err)
{
	_cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
	const struct passwd *pw = getpwnam(o->user);
	const char *event = o->started ? "started" : "stopped";
	char summary[300];

	if (!pw)
		return error_set(err, ENOENT, "there is no user '%s' to notify", o->user);
	if (become_user(pw, err) < 0)
		return -1;
	bus = open_bus(pw->pw_uid);
	if (!bus)
		return 0;
	snprintf(summary, sizeof(summary), "%s %s", o->name, event);
	notify(bus, o, summary);
	return 0;
}
