#include "activator/notify.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "units/bus_library.h"

/* Seconds after which to give up a bus or a desktop that hangs; the request is under way by then. Nobody waits for
 * this process, which its user may stop: the keeper ends it (keeper/tasks.h). */
#define NOTIFY_LIMIT 1

static void on_alarm(int sig)
{
	(void)sig;
	_exit(EXIT_SUCCESS);
}

static int become_user(const struct passwd *pw, struct error *err)
{
	if (geteuid() == pw->pw_uid)
		return 0;
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return error_errno(err, errno, "cannot become the user '%s' to notify that person", pw->pw_name);
	return 0;
}

/* The user's own bus; false if there is none: the user is not logged in. */
static bool open_bus(uid_t uid, sd_bus **ret)
{
	char address[64];

	snprintf(address, sizeof(address), "unix:path=/run/user/%u/bus", uid);
	return bus.sd_bus_new(ret) >= 0 && bus.sd_bus_set_address(*ret, address) >= 0 &&
	       bus.sd_bus_set_bus_client(*ret, true) >= 0 && bus.sd_bus_start(*ret) >= 0;
}

int notify_person(const struct options *o, struct error *err)
{
	const struct sigaction give_up = {.sa_handler = on_alarm};
	const struct passwd *pw;
	char summary[300];
	(void)sigaction(SIGALRM, &give_up, NULL);
	(void)alarm(NOTIFY_LIMIT);
	pw = getpwnam(o->user);
	if (!pw)
		return error_set(err, ENOENT, "there is no user '%s' to notify", o->user);
	if (become_user(pw, err) < 0 || bus_load(err) < 0)
		return -1;

	_cleanup_bus_ sd_bus *connection = NULL;

	if (!open_bus(pw->pw_uid, &connection))
		return 0;
	snprintf(summary, sizeof(summary), "%s %s", o->name, o->started ? "started" : "stopped");
	/* specifications.freedesktop.org/notification-spec: Notify(app, replaces, icon, summary, body, actions, hints,
	 * expiry in ms; -1: the desktop decides). Wait for the answer: a bus that first has to start the desktop's
	 * daemon drops the messages of a sender that has gone (dbus-daemon's bus/activation.c). A missing daemon is
	 * not a failure. */
	(void)bus.sd_bus_call_method(
		connection, "org.freedesktop.Notifications", "/org/freedesktop/Notifications",
		"org.freedesktop.Notifications", "Notify", NULL, NULL, "susssasa{sv}i", "sockwake", 0, "", summary,
		o->started ? "The container was woken." : "The container was put to sleep.", 0, 0, -1);
	return 0;
}
