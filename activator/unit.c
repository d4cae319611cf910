#include "activator/unit.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/extremes.h"
#include "units/bus.h"
#include "units/log_command.h"
#include "units/run_command.h"

/* A unit whose properties change this often in a row has no stable state. */
#define LOOKS_MAX 10

/* Most units have started before anybody asks what they wait for. */
#define PATIENCE (500 * USEC_PER_MSEC)

/* Not for long: at the end of a session the manager does not come back. */
#define REVIVAL_TIMEOUT (3 * USEC_PER_SEC)

struct unit {
	struct manager manager;
	const char *name;
	const char *container; /* that it runs; NULL: not told */
	char *path;	       /* of its object */
};

static const char *systemctl(enum scope scope)
{
	return scope == SCOPE_USER ? "systemctl --user" : "systemctl";
}

/* Not again for a manager that did not come back. */
static bool ask_again(struct unit *u, struct error *err)
{
	if (!u->manager.bus || !bus_revive(&u->manager, time_from_now(REVIVAL_TIMEOUT)))
		return false;
	error_clear(err);
	return true;
}

/* Only the connection that requested the job is told of its end. */
static int await_job(struct unit *u, uint64_t deadline, const struct meanwhile *m, struct error *err)
{
	uint64_t glance = m ? time_from_now(PATIENCE) : USEC_INFINITY;
	unsigned revivals = u->manager.revivals;
	int r;

	while ((r = bus_await_job(&u->manager, least_of(glance, deadline))) == 0) {
		if (!m || time_is_over(deadline))
			return error_set(err, ETIMEDOUT, "the unit '%s' did not get there in time", u->name);
		glance = m->look(u, m->data);
		glance += now_usec();
		if (u->manager.revivals != revivals) {
			r = -ECONNRESET;
			break;
		}
	}
	return r < 0 ? error_set(err, ENOTCONN, "lost the service manager while waiting for '%s': %s", u->name,
				 bus_reason(&u->manager, r, NULL))
		     : 0;
}

/* Calls StartUnit or StopUnit and waits for the job. */
static int run_job_once(struct unit *u, const char *method, uint64_t deadline, const struct meanwhile *m,
			struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_err = SD_BUS_ERROR_NULL;
	int r = bus_begin_job(&u->manager, method, u->name, 0, &bus_err);
	const char *reason = r < 0 ? bus_reason(&u->manager, r, &bus_err) : "";

	if (bus.sd_bus_error_has_name(&bus_err, "org.freedesktop.systemd1.NoSuchUnit"))
		return error_set(err, ENOENT, "there is no unit '%s': '%s list-unit-files' lists those that there are",
				 u->name, systemctl(u->manager.scope));
	if (r < 0)
		return error_set(err, ENOTCONN, "the service manager does not do %s of '%s': %s", method, u->name,
				 reason);
	return await_job(u, deadline, m, err);
}

static int run_job(struct unit *u, const char *method, uint64_t deadline, const struct meanwhile *m, struct error *err)
{
	int r;

	do
		r = run_job_once(u, method, deadline, m, err);
	while (r < 0 && ask_again(u, err));
	return r;
}

bool manager_is_stopping(enum scope scope)
{
	_cleanup_(bus_disconnect) struct manager m = {.scope = scope, .lost = true};
	_cleanup_message_ sd_bus_message *reply = NULL;
	uint64_t end = time_from_now(REVIVAL_TIMEOUT);
	const char *state = "";
	int r = -1;

	while (r < 0 && bus_revive(&m, end)) {
		r = bus.sd_bus_get_property(m.bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "SystemState", NULL,
					    &reply, "s");
		if (r < 0)
			(void)bus_reason(&m, r, NULL);
	}
	return r < 0 || bus.sd_bus_message_read(reply, "s", &state) < 0 || strcmp(state, "stopping") == 0;
}

int unit_open(enum scope scope, const char *name, struct unit **ret, struct error *err)
{
	_cleanup_unit_ struct unit *u = calloc(1, sizeof(*u));

	if (!u)
		return error_errno(err, ENOMEM, "cannot look at the unit '%s'", name);
	u->manager.scope = scope;
	u->name = name;
	if (bus_connect(&u->manager, time_from_now(REVIVAL_TIMEOUT), err) < 0)
		return -1;
	/* This path makes the manager find, or load, the unit (org.freedesktop.systemd1(5)). */
	if (bus.sd_bus_path_encode(SYSTEMD_PATH "/unit", name, &u->path) < 0)
		return error_errno(err, ENOMEM, "cannot look at the unit '%s'", name);
	*ret = steal_ptr(&u);
	return 0;
}

void unit_runs(struct unit *u, const char *container)
{
	u->container = container;
}

void unit_close(struct unit **u)
{
	if (!*u)
		return;
	bus_disconnect(&(*u)->manager);
	free((*u)->path);
	free(*u);
	*u = NULL;
}

static int get_once(struct unit *u, const char *name, const char *path, const char *interface, const char *property,
		    const char *type, sd_bus_message **ret, struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_err = SD_BUS_ERROR_NULL;
	int r = bus.sd_bus_get_property(u->manager.bus, SYSTEMD_NAME, path, interface, property, &bus_err, ret, type);

	return r < 0 ? error_set(err, ENOTCONN, "the service manager does not tell %s of '%s': %s", property, name,
				 bus_reason(&u->manager, r, &bus_err))
		     : 0;
}

/* All requests for properties go through here. name: of the unit or job, for messages. */
static int get(struct unit *u, const char *name, const char *path, const char *interface, const char *property,
	       const char *type, sd_bus_message **ret, struct error *err)
{
	int r;

	do
		r = get_once(u, name, path, interface, property, type, ret, err);
	while (r < 0 && ask_again(u, err));
	return r;
}

static const struct property {
	const char *interface, *name, *type;
	size_t offset, size;
} properties[] = {
#define MEMBER(m) offsetof(struct unit_view, m), sizeof(((struct unit_view *)0)->m)
	{SYSTEMD_UNIT, "ActiveState", "s", MEMBER(active)},
	{SYSTEMD_UNIT, "InvocationID", "ay", MEMBER(invocation)},
	{SYSTEMD_UNIT, "SubState", "s", MEMBER(sub)},
	{SYSTEMD_UNIT, "Job", "(uo)", MEMBER(job)},
	{SYSTEMD_SERVICE, "Result", "s", MEMBER(result)},
	{SYSTEMD_SERVICE, "MainPID", "u", MEMBER(main_pid)},
	{SYSTEMD_SERVICE, "NRestarts", "u", MEMBER(restarts)},
	{SYSTEMD_SERVICE, "ExecMainCode", "i", MEMBER(main_code)},
	{SYSTEMD_SERVICE, "ExecMainStatus", "i", MEMBER(main_status)},
#undef MEMBER
};
#define N_PROPERTIES (sizeof(properties) / sizeof(*properties))
#define N_CHANGING   2 /* the first ones change whenever another relevant one does */

static int read_value(sd_bus_message *reply, const struct property *p, void *member)
{
	const char *text, *path;
	const uint8_t *bytes;
	size_t n;
	int r;

	if (strcmp(p->type, "(uo)") == 0)
		return bus.sd_bus_message_read(reply, p->type, member, &path);
	if (strcmp(p->type, "s") == 0) {
		r = bus.sd_bus_message_read(reply, "s", &text);
		if (r >= 0)
			snprintf(member, p->size, "%s", text);
		return r;
	}
	if (strcmp(p->type, "ay") != 0)
		return bus.sd_bus_message_read(reply, p->type, member);
	r = bus.sd_bus_message_read_array(reply, 'y', (const void **)&bytes, &n);
	for (size_t k = 0; r >= 0 && k < n && 2 * k + 3 <= p->size; k++)
		sprintf((char *)member + 2 * k, "%02x", bytes[k]);
	return r;
}

static int look_at(struct unit *u, const char *name, const char *path, const struct property *p, struct unit_view *ret,
		   struct error *err)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	int r;

	if (get(u, name, path, p->interface, p->name, p->type, &reply, err) < 0)
		return -1;
	r = read_value(reply, p, (char *)ret + p->offset);
	return r < 0 ? error_set(err, ENOTCONN, "the service manager's %s of '%s' makes no sense", p->name, name) : 0;
}

/* Each property is a request of its own, and the manager forgets an unused unit when it has stopped. So all values
 * must be of the same moment: the old state with the new invocation would look like somebody else's run. */
static int look(struct unit *u, const char *name, const char *path, struct unit_view *ret, struct error *err)
{
	struct unit_view now;

	for (int tries = 0; tries < LOOKS_MAX; tries++) {
		*ret = now = (struct unit_view){};
		for (size_t k = 0; k < N_PROPERTIES; k++) {
			if (look_at(u, name, path, &properties[k], ret, err) < 0)
				return -1;
		}
		for (size_t k = 0; k < N_CHANGING; k++) {
			if (look_at(u, name, path, &properties[k], &now, err) < 0)
				return -1;
		}
		if (strcmp(now.active, ret->active) == 0 && strcmp(now.invocation, ret->invocation) == 0)
			break;
	}
	return 0;
}

int unit_look(struct unit *u, struct unit_view *ret, struct error *err)
{
	return look(u, u->name, u->path, ret, err);
}

int unit_look_at(struct unit *u, const char *name, struct unit_view *ret, struct error *err)
{
	_cleanup_free_ char *path = NULL;

	if (bus.sd_bus_path_encode(SYSTEMD_PATH "/unit", name, &path) < 0)
		return error_errno(err, ENOMEM, "cannot look at the unit '%s'", name);
	return look(u, name, path, ret, err);
}

/* The reply to a request for one property of one unit. */
static int ask(struct unit *u, const char *name, const char *property, const char *type, sd_bus_message **ret,
	       struct error *err)
{
	_cleanup_free_ char *path = NULL;

	if (bus.sd_bus_path_encode(SYSTEMD_PATH "/unit", name, &path) < 0)
		return error_errno(err, ENOMEM, "cannot look at the unit '%s'", name);
	return get(u, name, path, SYSTEMD_UNIT, property, type, ret, err);
}

int unit_state(struct unit *u, const char *name, char ret[static 16], struct error *err)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *text = "";

	if (ask(u, name, "ActiveState", "s", &reply, err) < 0)
		return -1;
	(void)bus.sd_bus_message_read(reply, "s", &text);
	snprintf(ret, 16, "%s", text);
	return 0;
}

bool unit_has_job(struct unit *u, const char *name)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	struct error ignored;
	const char *path;
	uint32_t id = 0;

	return ask(u, name, "Job", "(uo)", &reply, &ignored) == 0 &&
	       bus.sd_bus_message_read(reply, "(uo)", &id, &path) >= 0 && id != 0;
}

static bool has_source(struct unit *u, const char *name, const char *const *suffixes)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *source = "", *dot;
	struct error ignored;

	if (ask(u, name, "SourcePath", "s", &reply, &ignored) < 0 || bus.sd_bus_message_read(reply, "s", &source) < 0)
		return false;
	dot = strrchr(source, '.');
	for (; dot && *suffixes; suffixes++) {
		if (strcmp(dot, *suffixes) == 0)
			return true;
	}
	return false;
}

bool unit_is_quadlet(struct unit *u, const char *name)
{
	return has_source(u, name, (const char *const[]){".container", ".pod", ".kube", NULL});
}

bool unit_is_container_quadlet(struct unit *u, const char *name)
{
	return has_source(u, name, (const char *const[]){".container", NULL});
}

/* A property of a service. */
static int ask_service(struct unit *u, const char *name, const char *property, const char *type, sd_bus_message **ret,
		       struct error *err)
{
	_cleanup_free_ char *path = NULL;

	if (bus.sd_bus_path_encode(SYSTEMD_PATH "/unit", name, &path) < 0)
		return error_errno(err, ENOMEM, "cannot look at the unit '%s'", name);
	return get(u, name, path, SYSTEMD_SERVICE, property, type, ret, err);
}

/* Podman labels a container with this variable. */
static bool sets_label(struct unit *u, const char *name)
{
	static const char variable[] = "PODMAN_SYSTEMD_UNIT=";
	_cleanup_message_ sd_bus_message *reply = NULL;
	struct error ignored;
	const char *one;
	bool found = false;

	if (ask_service(u, name, "Environment", "as", &reply, &ignored) < 0 ||
	    bus.sd_bus_message_enter_container(reply, 'a', "s") < 0)
		return false;
	while (!found && bus.sd_bus_message_read(reply, "s", &one) > 0)
		found = strncmp(one, variable, sizeof(variable) - 1) == 0;
	return found;
}

int unit_each_command(struct unit *u, const char *name, const char *property, exec_command_taker take, void *data,
		      struct error *err)
{
	_cleanup_free_ char *path = NULL;

	if (bus.sd_bus_path_encode(SYSTEMD_PATH "/unit", name, &path) < 0)
		return error_errno(err, ENOMEM, "cannot look at the unit '%s'", name);
	return exec_command_each(&u->manager, path, property, take, data, err);
}

/* Does the first command make the container anew (`podman run --replace`)? */
static int take_first(void *data, const char *const *argv, struct error *err)
{
	struct run_command command;
	bool *replaces = data;

	(void)err;
	*replaces = run_command_parse(argv, &command) && command.replaces;
	return 1;
}

bool unit_labels_containers(struct unit *u, const char *name)
{
	bool replaces = false;
	struct error ignored;

	return has_source(u, name, (const char *const[]){".container", ".kube", NULL}) ||
	       (sets_label(u, name) && unit_each_command(u, name, "ExecStart", take_first, &replaces, &ignored) == 1 &&
		replaces);
}

bool unit_labels_pods(struct unit *u, const char *name)
{
	return has_source(u, name, (const char *const[]){".pod", ".kube", NULL}) || sets_label(u, name);
}

bool unit_has_lost_its_file(struct unit *u, const char *name)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *state = "";
	struct error ignored;

	return ask(u, name, "LoadState", "s", &reply, &ignored) == 0 &&
	       bus.sd_bus_message_read(reply, "s", &state) >= 0 && strcmp(state, "not-found") == 0;
}

int unit_each(struct unit *u, const char *name, const char *property, unit_visitor visit, void *data, struct error *err)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *one;
	int r;

	if (ask(u, name, property, "as", &reply, err) < 0)
		return -1;
	r = bus.sd_bus_message_enter_container(reply, 'a', "s");
	while (r >= 0 && (r = bus.sd_bus_message_read(reply, "s", &one)) > 0)
		visit(data, one);
	return r < 0 ? error_set(err, ENOTCONN, "the service manager's %s of '%s' makes no sense", property, name) : 0;
}

/* The object of the job that somebody requested; "" if there is none. Belongs to *reply. */
static const char *job_of(struct unit *u, sd_bus_message **reply)
{
	struct error ignored;
	const char *path;
	uint32_t id;

	return get(u, u->name, u->path, SYSTEMD_UNIT, "Job", "(uo)", reply, &ignored) == 0 &&
			       bus.sd_bus_message_read(*reply, "(uo)", &id, &path) >= 0 && id != 0
		       ? path
		       : "";
}

/* Does a property of this job have this value? */
static bool job_is(struct unit *u, const char *path, const char *property, const char *value)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	struct error ignored;
	const char *word;

	return *path && get(u, u->name, path, SYSTEMD_JOB, property, "s", &reply, &ignored) == 0 &&
	       bus.sd_bus_message_read(reply, "s", &word) >= 0 && strcmp(word, value) == 0;
}

bool unit_is_being_stopped(struct unit *u)
{
	_cleanup_message_ sd_bus_message *job = NULL;

	return job_is(u, job_of(u, &job), "JobType", "stop");
}

/* The first running job of "a(usssoo)", numbers, units, types, states and paths of jobs, else the first job. */
static bool read_first_job(sd_bus_message *reply, char ret[static UNIT_NAME_TEXT_MAX])
{
	const char *unit, *type, *state, *path, *object;
	bool found = false, runs = false;
	uint32_t id;

	if (bus.sd_bus_message_enter_container(reply, 'a', "(usssoo)") < 0)
		return false;
	while (!runs && bus.sd_bus_message_read(reply, "(usssoo)", &id, &unit, &type, &state, &path, &object) > 0) {
		runs = strcmp(state, "running") == 0;
		if (!found || runs)
			snprintf(ret, UNIT_NAME_TEXT_MAX, "%s", unit);
		found = true;
	}
	return found;
}

bool unit_waits_for(struct unit *u, char ret[static UNIT_NAME_TEXT_MAX])
{
	_cleanup_message_ sd_bus_message *job = NULL, *reply = NULL;
	const char *path = job_of(u, &job);

	/* Job.GetBefore() (systemd 233): the jobs that must end before this one begins. */
	return job_is(u, path, "State", "waiting") &&
	       bus.sd_bus_call_method(u->manager.bus, SYSTEMD_NAME, path, SYSTEMD_JOB, "GetBefore", NULL, &reply, "") >=
		       0 &&
	       read_first_job(reply, ret);
}

bool unit_is_active(const struct unit_view *v)
{
	return strcmp(v->active, "active") == 0 || strcmp(v->active, "reloading") == 0;
}

bool unit_is_restarting(const struct unit_view *v)
{
	return strncmp(v->sub, "auto-restart", strlen("auto-restart")) == 0;
}

/* Is the unit's end that of its container? 125 to 127 are Podman's own: there was no container (podman-run(1)). */
static bool is_end_of_container(const struct unit *u, const struct unit_view *v)
{
	bool own_status = v->main_status != 0 && (v->main_status < 125 || v->main_status > 127);

	return u->container && (strcmp(v->result, "exit-code") == 0 ? own_status : strcmp(v->result, "success") == 0);
}

int unit_failed(const struct unit *u, const struct unit_view *v, struct error *err)
{
	char log[LOG_COMMAND_MAX];

	snprintf(log, sizeof(log), "%s %s", journal_command(u->manager.scope), u->name);
	if (strcmp(v->result, "timeout") == 0)
		return error_set(err, ECHILD,
				 "systemd has ended the unit '%s', which took longer than its own TimeoutStartSec=: "
				 "raise that under [Service], or see '%s'",
				 u->name, log);
	if (is_end_of_container(u, v))
		return error_set(err, ECHILD, ENDED_EARLY, u->container, v->main_status, log);
	if (strcmp(v->result, "exit-code") == 0 &&
	    v->main_status != 0) /* else the status is that of ExecStartPre= or the like */
		return error_set(err, ECHILD, "the unit '%s' ended with status %d: '%s' may say why", u->name,
				 v->main_status, log);
	return error_set(err, ECHILD, "the unit '%s' does not run (%s, result '%s'): '%s' may say why", u->name,
			 v->active, v->result, log);
}

/* If so, the results are those of the run before. */
static bool is_not_started_again(const struct unit_view *before, const struct unit_view *now)
{
	return now->invocation[0] && strcmp(now->invocation, before->invocation) == 0;
}

int unit_start(struct unit *u, const struct unit_view *before, uint64_t deadline, const struct meanwhile *m,
	       struct error *err)
{
	struct unit_view v;

	if (run_job(u, "StartUnit", deadline, m, err) < 0)
		return -1;
	if (strcmp(u->manager.job_result, "done") == 0)
		return 0;
	if (strcmp(u->manager.job_result, "failed") == 0 && unit_look(u, &v, err) == 0)
		return is_not_started_again(before, &v)
			       ? error_set(err, ECHILD,
					   "systemd starts the unit '%s' no more, for it was started too often "
					   "(StartLimitBurst=): when it is mended, '%s reset-failed %s'",
					   u->name, systemctl(u->manager.scope), u->name)
			       : unit_failed(u, &v, err);
	return error_set(err, ECHILD, "the start of the unit '%s' ended as '%s': '%s status %s' may say why", u->name,
			 u->manager.job_result, systemctl(u->manager.scope), u->name);
}

bool unit_lacks_dependency(const struct unit *u)
{
	return strcmp(u->manager.job_result, "dependency") == 0;
}

int unit_start_later(struct unit *u, struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_err = SD_BUS_ERROR_NULL;
	int r = bus.sd_bus_call_method(u->manager.bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartUnit",
				       &bus_err, NULL, "ss", u->name, "fail");

	return r < 0 ? error_set(err, ENOTCONN, "the service manager does not start '%s' again: %s", u->name,
				 bus_reason(&u->manager, r, &bus_err))
		     : 0;
}

void unit_give_up(struct unit *u, const char *name)
{
	(void)bus.sd_bus_call_method(u->manager.bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StopUnit", NULL,
				     NULL, "ss", name, "replace");
}

int unit_stop(struct unit *u, uint64_t deadline, const struct meanwhile *m, struct error *err)
{
	if (run_job(u, "StopUnit", deadline, m, err) < 0)
		return -1;
	if (strcmp(u->manager.job_result, "done") != 0)
		return error_set(err, ECHILD, "the stop of the unit '%s' ended as '%s': '%s status %s' may say why",
				 u->name, u->manager.job_result, systemctl(u->manager.scope), u->name);
	/* Fails if nothing refers to the unit: the manager forgets such a unit as a whole. */
	(void)bus.sd_bus_call_method(u->manager.bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "ResetFailedUnit",
				     NULL, NULL, "s", u->name);
	return 0;
}
