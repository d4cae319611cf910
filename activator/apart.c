#include "activator/apart.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activator/runtime.h"
#include "activator/unit.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/log.h"
#include "units/bus.h"
#include "units/paths.h"

#define VARIABLE_MAX (PATH_MAX + 32)
#define MARK	     "SOCKWAKE_APART"

/* Clients wait for the next keeper meanwhile. */
#define MOMENT (500 * USEC_PER_MSEC)
#define GLANCE (20 * USEC_PER_MSEC)

/* An earlier such service may have left the container to a user, and be about to end when that user is gone. */
#define TRIES 5

/* A manager that re-executes itself is back at once. */
#define REVIVAL_TIMEOUT (3 * USEC_PER_SEC)

bool apart_is_this(void)
{
	return getenv(MARK) != NULL;
}

static int append_text(sd_bus_message *m, const char *property, const char *value)
{
	return bus.sd_bus_message_append(m, "(sv)", property, "s", value);
}

/* The variables that it inherits from this process. */
static int append_environment(sd_bus_message *m, const struct options *o)
{
	char runtime[PATH_MAX], variable[VARIABLE_MAX];
	struct error ignored;

	if (runtime_directory(o->scope, runtime, &ignored) < 0)
		return -1;
	snprintf(variable, sizeof(variable), "RUNTIME_DIRECTORY=%s", runtime);
	return bus.sd_bus_message_append(m, "(sv)", "Environment", "as", log_is_debug ? 3 : 2, MARK "=1", variable,
					 LOG_VARIABLE "=debug");
}

/* ExecStart, a(sasb): the path, the words, whether a failure is ignored (org.freedesktop.systemd1(5)). */
static int append_command(sd_bus_message *m, char *const *argv)
{
	static const struct {
		char type;
		const char *contents;
	} layers[] = {{'r', "sv"}, {'v', "a(sasb)"}, {'a', "(sasb)"}, {'r', "sasb"}};
	enum { N = sizeof(layers) / sizeof(*layers) };
	int r = 0;

	for (size_t k = 0; r >= 0 && k < N; k++) {
		r = bus.sd_bus_message_open_container(m, layers[k].type, layers[k].contents);
		if (r >= 0 && k == 0)
			r = bus.sd_bus_message_append(m, "s", "ExecStart");
	}
	if (r >= 0)
		r = bus.sd_bus_message_append(m, "s", argv[0]);
	if (r >= 0)
		r = bus.sd_bus_message_append_strv(m, (char **)argv);
	if (r >= 0)
		r = bus.sd_bus_message_append(m, "b", 0);
	for (size_t k = 0; r >= 0 && k < N; k++)
		r = bus.sd_bus_message_close_container(m);
	return r;
}

static int append_properties(sd_bus_message *m, const struct options *o, char *const *argv)
{
	char what[512];
	int r = bus.sd_bus_message_open_container(m, 'a', "(sv)");

	snprintf(what, sizeof(what), "Puts the container of %s to sleep, whose keeper was killed", o->name);
	if (r >= 0)
		r = append_text(m, "Description", what);
	if (r >= 0)
		r = append_text(m, "CollectMode", "inactive-or-failed");
	if (r >= 0)
		r = append_text(m, "SyslogIdentifier", "sockwake");
	if (r >= 0)
		r = append_text(m, "Restart", "on-abnormal");
	if (r >= 0)
		r = bus.sd_bus_message_append(m, "(sv)", "NoNewPrivileges", "b", 1);
	if (r >= 0)
		r = append_environment(m, o);
	if (r >= 0)
		r = append_command(m, argv);
	return r < 0 ? r : bus.sd_bus_message_close_container(m);
}

/* StartTransientUnit(s name, s mode, a(sv) properties, a(sa(sv)) auxiliary units). -EEXIST: it exists already. */
static int start_once(struct manager *manager, const struct options *o, const char *service, char *const *argv)
{
	_cleanup_bus_err_ sd_bus_error bus_err = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *m = NULL;
	int r = bus.sd_bus_message_new_method_call(manager->bus, &m, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
						   "StartTransientUnit");

	if (r >= 0)
		r = bus.sd_bus_message_append(m, "ss", service, "fail");
	if (r >= 0)
		r = append_properties(m, o, argv);
	if (r >= 0)
		r = bus.sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0)
		r = bus.sd_bus_call(manager->bus, m, 0, &bus_err, NULL);
	if (r < 0)
		(void)bus_reason(manager, r, &bus_err);
	return bus.sd_bus_error_has_name(&bus_err, SYSTEMD_NAME ".UnitExists") ? -EEXIST : r;
}

static int start(const struct options *o, const char *service, char *const *argv)
{
	_cleanup_(bus_disconnect) struct manager manager = {.scope = o->scope, .lost = true};
	uint64_t end = time_from_now(REVIVAL_TIMEOUT);
	int r = -ENOTCONN;

	while (r < 0 && bus_revive(&manager, end))
		r = start_once(&manager, o, service, argv);
	return r;
}

/* A service that is about to start is inactive, too. */
static bool is_at_work(struct unit *u, const char *service)
{
	struct error ignored;
	char state[16];

	return unit_has_job(u, service) ||
	       (unit_state(u, service, state, &ignored) == 0 && strcmp(state, "inactive") != 0);
}

/* Returns true if it is still at work afterwards. */
static bool wait_a_moment(enum scope scope, const char *service)
{
	_cleanup_unit_ struct unit *u = NULL;
	uint64_t until = time_from_now(MOMENT);
	struct error ignored;

	if (unit_open(scope, service, &u, &ignored) < 0)
		return true;
	do {
		if (!is_at_work(u, service))
			return false;
	} while (time_pause(GLANCE, until));
	return true;
}

/* No instance has a name with a colon. */
static const char *service_of(const struct options *o, char ret[static UNIT_NAME_MAX])
{
	if (snprintf(ret, UNIT_NAME_MAX, "sockwake-sleep:%s.service", o->name) >= UNIT_NAME_MAX)
		snprintf(ret, UNIT_NAME_MAX, "sockwake-sleep:%016llx.service",
			 (unsigned long long)fnv1a(FNV1A_BASIS, o->name));
	return ret;
}

bool apart_begin(const struct options *o, char *const *argv)
{
	char service[UNIT_NAME_MAX];
	int r = -EEXIST;

	(void)service_of(o, service);
	for (int tries = 0; r == -EEXIST && tries < TRIES; tries++) {
		r = start(o, service, argv);
		if (r == -EEXIST && wait_a_moment(o->scope, service))
			return true;
	}
	if (r < 0)
		return false;
	log_line(LOG_NOTICE,
		 "the keeper was killed, and its service is being stopped: %s puts the container '%s' to sleep",
		 service, o->container);
	(void)wait_a_moment(o->scope, service);
	return true;
}
