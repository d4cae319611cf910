#include "activator/notify.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

#define NOTIFY_LIMIT (5 * USEC_PER_SEC)

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
	if (sd_bus_set_address(bus, address) < 0 || sd_bus_set_bus_client(bus, true) < 0 ||
	    sd_bus_set_method_call_timeout(bus, NOTIFY_LIMIT) < 0 || sd_bus_start(bus) < 0)
		return sd_bus_unref(bus);
	return bus;
}

int notify_person(const struct options *o, struct error *err)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
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
	/* specifications.freedesktop.org/notification-spec: Notify(app, replaces, icon, summary, body, actions, hints,
	 * expiry in ms; -1: as the desktop likes). */
	(void)sd_bus_call_method(bus, "org.freedesktop.Notifications", "/org/freedesktop/Notifications",
				 "org.freedesktop.Notifications", "Notify", NULL, NULL, "susssasa{sv}i", "sockwake", 0,
				 "", summary,
				 o->started ? "The container was woken." : "The container was put to sleep.", 0, 0, -1);
	return 0;
}
