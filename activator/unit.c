#include "activator/unit.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activator/bus.h"
#include "common/clock.h"
#include "common/log.h"
#include "units/log_command.h"
#include "units/paths.h"

#define JOB_INTERFACE	  "org.freedesktop.systemd1.Job"
#define UNIT_INTERFACE	  "org.freedesktop.systemd1.Unit"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"

/* A unit whose properties change so often in a row has no state to wait for. */
#define LOOKS_MAX 10

/* Most units are started before anybody has to look what they wait for. */
#define PATIENCE (500 * USEC_PER_MSEC)

/* Not for long: at the end of a session the manager does not come back. */
#define REVIVAL_TIMEOUT	   (3 * USEC_PER_SEC)
#define REVIVAL_PAUSE_MSEC 20

/* A job of the manager's, whose end is awaited. */
struct job {
	const char *path;
	bool ended;
	char result[32]; /* "done", "failed", "timeout", … */
};

struct unit {
	enum scope scope;
	const char *name;
	char *path; /* of its object */
	sd_bus *connection;
	unsigned revivals; /* another connection each time */
	struct job job;
};

static const char *systemctl(enum scope scope)
{
	return scope == SCOPE_USER ? "systemctl --user" : "systemctl";
}

/* The code of an error for what sd-bus returned: ECONNRESET when the connection was lost. */
static int manager_error(int r)
{
	return r == -ECONNRESET || r == -EPIPE || r == -ENOTCONN ? ECONNRESET : ENOTCONN;
}

/* A manager that executes itself anew drops its connections, and is there again at once. True: ask again. Else the code
 * is ENOTCONN. */
static bool revive(struct unit *u, struct error *err)
{
	uint64_t end = now_usec() + REVIVAL_TIMEOUT;
	struct error ignored;

	while (err->code == ECONNRESET && now_usec() < end) {
		bus_close(&u->connection);
		if (bus_connect_manager(u->scope, &u->connection, &ignored) == 0) {
			u->revivals++;
			return true;
		}
		(void)poll(NULL, 0, REVIVAL_PAUSE_MSEC);
	}
	if (err->code == ECONNRESET)
		err->code = ENOTCONN;
	return false;
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

static int await_job(struct unit *u, uint64_t deadline, const struct meanwhile *m, struct error *err)
{
	uint64_t glance = m ? now_usec() + PATIENCE : USEC_INFINITY;
	unsigned revivals = u->revivals;

	while (!u->job.ended) {
		int r = bus.sd_bus_process(u->connection, NULL);
		uint64_t now = now_usec(), until;

		if (r == 0 && now >= deadline)
			return error_set(err, ETIMEDOUT, "the unit '%s' did not get there in time", u->name);
		if (r == 0 && now >= glance) {
			glance = m->look(u, m->data);
			glance += now_usec();
			if (u->revivals != revivals) /* nothing is heard of the job over this connection */
				return error_set(err, ECONNRESET, "lost the service manager while waiting for '%s'",
						 u->name);
			continue;
		}
		until = glance < deadline ? glance : deadline;
		if (r == 0)
			r = bus.sd_bus_wait(u->connection, until == USEC_INFINITY ? UINT64_MAX : until - now);
		if (r < 0 && r != -EINTR)
			return error_set(err, manager_error(r), "lost the service manager while waiting for '%s': %s",
					 u->name, strerror(-r));
	}
	return 0;
}

/* Calls StartUnit or StopUnit and waits for the job. */
static int run_job_once(struct unit *u, const char *method, uint64_t deadline, const struct meanwhile *m,
			struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_err = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	struct job *job = &u->job; /* the match below outlives this call */
	int r;

	*job = (struct job){};
	/* The reply comes before the job's end is looked at: signals are queued during a call. */
	r = bus.sd_bus_match_signal(u->connection, NULL, NULL, MANAGER_PATH, MANAGER_INTERFACE, "JobRemoved",
				    on_job_removed, job);
	if (r >= 0)
		r = bus.sd_bus_call_method(u->connection, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, "Subscribe",
					   NULL, NULL, "");
	if (r >= 0)
		r = bus.sd_bus_call_method(u->connection, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, method,
					   &bus_err, &reply, "ss", u->name, "replace");
	if (r < 0 && bus.sd_bus_error_has_name(&bus_err, "org.freedesktop.systemd1.NoSuchUnit"))
		return error_set(err, ENOENT, "there is no unit '%s': '%s list-unit-files' lists those that there are",
				 u->name, systemctl(u->scope));
	if (r >= 0)
		r = bus.sd_bus_message_read(reply, "o", &job->path);
	if (r < 0)
		return error_set(err, manager_error(r), "the service manager does not do %s of '%s': %s", method,
				 u->name, bus_err.message ? bus_err.message : strerror(-r));
	r = await_job(u, deadline, m, err);
	job->path = NULL; /* it belongs to the reply */
	return r;
}

static int run_job(struct unit *u, const char *method, uint64_t deadline, const struct meanwhile *m, struct error *err)
{
	uint64_t began = log_clock();
	int r;

	do
		r = run_job_once(u, method, deadline, m, err);
	while (r < 0 && revive(u, err));
	log_debug("service manager: %s '%s': %s after %.1f ms", method, u->name, r < 0 ? err->text : u->job.result,
		  log_took(began));
	return r;
}

/* False where it does not tell. */
static bool ask_whether_it_stops(enum scope scope, bool *ret)
{
	_cleanup_bus_ sd_bus *connection = NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *state = "";
	struct error ignored;

	if (bus_connect_manager(scope, &connection, &ignored) < 0 ||
	    bus.sd_bus_get_property(connection, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, "SystemState", NULL,
				    &reply, "s") < 0 ||
	    bus.sd_bus_message_read(reply, "s", &state) < 0)
		return false;
	*ret = strcmp(state, "stopping") == 0;
	return true;
}

bool manager_is_stopping(enum scope scope)
{
	uint64_t end = now_usec() + REVIVAL_TIMEOUT;
	bool stops = true;

	/* One that executes itself anew is there again at once. */
	while (!ask_whether_it_stops(scope, &stops) && now_usec() < end)
		(void)poll(NULL, 0, REVIVAL_PAUSE_MSEC);
	return stops;
}

int unit_open(enum scope scope, const char *name, struct unit **ret, struct error *err)
{
	_cleanup_unit_ struct unit *u = calloc(1, sizeof(*u));

	if (!u)
		return error_errno(err, ENOMEM, "cannot look at the unit '%s'", name);
	u->scope = scope;
	u->name = name;
	if (bus_connect_manager(scope, &u->connection, err) < 0)
		return -1;
	/* The manager finds, or loads, the unit by this path (org.freedesktop.systemd1(5)). */
	if (bus.sd_bus_path_encode(MANAGER_PATH "/unit", name, &u->path) < 0)
		return error_errno(err, ENOMEM, "cannot look at the unit '%s'", name);
	*ret = steal_ptr(&u);
	return 0;
}

void unit_close(struct unit **u)
{
	if (!*u)
		return;
	bus_close(&(*u)->connection);
	free((*u)->path);
	free(*u);
	*u = NULL;
}

static int get_once(struct unit *u, const char *name, const char *path, const char *interface, const char *property,
		    const char *type, sd_bus_message **ret, struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_err = SD_BUS_ERROR_NULL;
	int r = bus.sd_bus_get_property(u->connection, MANAGER_NAME, path, interface, property, &bus_err, ret, type);

	return r < 0 ? error_set(err, manager_error(r), "the service manager does not tell %s of '%s': %s", property,
				 name, bus_err.message ? bus_err.message : strerror(-r))
		     : 0;
}

/* Every question about a property goes through here. name: of the unit or job, for messages. */
static int get(struct unit *u, const char *name, const char *path, const char *interface, const char *property,
	       const char *type, sd_bus_message **ret, struct error *err)
{
	int r;

	do
		r = get_once(u, name, path, interface, property, type, ret, err);
	while (r < 0 && revive(u, err));
	return r;
}

static const struct property {
	const char *interface, *name, *type;
	size_t offset, size;
} properties[] = {
#define MEMBER(m) offsetof(struct unit_view, m), sizeof(((struct unit_view *)0)->m)
	{UNIT_INTERFACE, "ActiveState", "s", MEMBER(active)},
	{UNIT_INTERFACE, "InvocationID", "ay", MEMBER(invocation)},
	{UNIT_INTERFACE, "SubState", "s", MEMBER(sub)},
	{UNIT_INTERFACE, "Job", "(uo)", MEMBER(job)},
	{SERVICE_INTERFACE, "Result", "s", MEMBER(result)},
	{SERVICE_INTERFACE, "MainPID", "u", MEMBER(main_pid)},
	{SERVICE_INTERFACE, "NRestarts", "u", MEMBER(restarts)},
	{SERVICE_INTERFACE, "ExecMainCode", "i", MEMBER(main_code)},
	{SERVICE_INTERFACE, "ExecMainStatus", "i", MEMBER(main_status)},
#undef MEMBER
};
#define N_PROPERTIES (sizeof(properties) / sizeof(*properties))
#define N_CHANGING   2 /* the first ones change whenever one of the others does that matters */

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

/* Each property is asked for by itself, and a unit that nobody needs is forgotten when it has stopped. So what is seen
 * has to be of one moment: the state of before with the invocation of after would look like somebody else's run. */
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

	if (bus.sd_bus_path_encode(MANAGER_PATH "/unit", name, &path) < 0)
		return error_errno(err, ENOMEM, "cannot look at the unit '%s'", name);
	return look(u, name, path, ret, err);
}

/* The reply to a question about one property of one unit. */
static int ask(struct unit *u, const char *name, const char *property, const char *type, sd_bus_message **ret,
	       struct error *err)
{
	_cleanup_free_ char *path = NULL;

	if (bus.sd_bus_path_encode(MANAGER_PATH "/unit", name, &path) < 0)
		return error_errno(err, ENOMEM, "cannot look at the unit '%s'", name);
	return get(u, name, path, UNIT_INTERFACE, property, type, ret, err);
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

bool unit_is_quadlet(struct unit *u, const char *name)
{
	static const char *const suffixes[] = {".container", ".pod", ".kube"};
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *source = "", *dot;
	struct error ignored;

	if (ask(u, name, "SourcePath", "s", &reply, &ignored) < 0 || bus.sd_bus_message_read(reply, "s", &source) < 0)
		return false;
	dot = strrchr(source, '.');
	for (size_t k = 0; dot && k < sizeof(suffixes) / sizeof(*suffixes); k++) {
		if (strcmp(dot, suffixes[k]) == 0)
			return true;
	}
	return false;
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

/* The object of the job that somebody asked for; "" where there is none. Belongs to *reply. */
static const char *job_of(struct unit *u, sd_bus_message **reply)
{
	struct error ignored;
	const char *path;
	uint32_t id;

	return get(u, u->name, u->path, UNIT_INTERFACE, "Job", "(uo)", reply, &ignored) == 0 &&
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

	return *path && get(u, u->name, path, JOB_INTERFACE, property, "s", &reply, &ignored) == 0 &&
	       bus.sd_bus_message_read(reply, "s", &word) >= 0 && strcmp(word, value) == 0;
}

bool unit_is_being_stopped(struct unit *u)
{
	_cleanup_message_ sd_bus_message *job = NULL;

	return job_is(u, job_of(u, &job), "JobType", "stop");
}

/* The first of "a(usssoo)", numbers, units, types, states and paths of jobs, that runs, else the first one. */
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

	/* Job.GetBefore() (systemd 233): the jobs that have to end before this one begins. */
	return job_is(u, path, "State", "waiting") &&
	       bus.sd_bus_call_method(u->connection, MANAGER_NAME, path, JOB_INTERFACE, "GetBefore", NULL, &reply,
				      "") >= 0 &&
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

int unit_failed(const struct unit *u, const struct unit_view *v, struct error *err)
{
	char log[LOG_COMMAND_MAX];

	(void)log_command(u->scope, u->name, BACKEND_PODMAN, NULL, log);
	if (strcmp(v->result, "timeout") == 0)
		return error_set(err, ECHILD,
				 "systemd has ended the unit '%s', which took longer than its own TimeoutStartSec=: "
				 "raise that under [Service], or see '%s'",
				 u->name, log);
	if (strcmp(v->result, "exit-code") == 0 &&
	    v->main_status != 0) /* else it is that of ExecStartPre= or the like */
		return error_set(err, ECHILD, "the unit '%s' ended with status %d: '%s' may say why", u->name,
				 v->main_status, log);
	return error_set(err, ECHILD, "the unit '%s' does not run (%s, result '%s'): '%s' may say why", u->name,
			 v->active, v->result, log);
}

/* What is told of the last run then is about the one before. */
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
	if (strcmp(u->job.result, "done") == 0)
		return 0;
	if (strcmp(u->job.result, "failed") == 0 && unit_look(u, &v, err) == 0)
		return is_not_started_again(before, &v)
			       ? error_set(err, ECHILD,
					   "systemd starts the unit '%s' no more, for it was started too often "
					   "(StartLimitBurst=): when it is mended, '%s reset-failed %s'",
					   u->name, systemctl(u->scope), u->name)
			       : unit_failed(u, &v, err);
	return error_set(err, ECHILD, "the start of the unit '%s' ended as '%s': '%s status %s' may say why", u->name,
			 u->job.result, systemctl(u->scope), u->name);
}

int unit_start_later(struct unit *u, struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_err = SD_BUS_ERROR_NULL;
	int r = bus.sd_bus_call_method(u->connection, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, "StartUnit",
				       &bus_err, NULL, "ss", u->name, "fail");

	return r < 0 ? error_set(err, ENOTCONN, "the service manager does not start '%s' again: %s", u->name,
				 bus_err.message ? bus_err.message : strerror(-r))
		     : 0;
}

int unit_stop(struct unit *u, uint64_t deadline, const struct meanwhile *m, struct error *err)
{
	if (run_job(u, "StopUnit", deadline, m, err) < 0)
		return -1;
	if (strcmp(u->job.result, "done") != 0)
		return error_set(err, ECHILD, "the stop of the unit '%s' ended as '%s': '%s status %s' may say why",
				 u->name, u->job.result, systemctl(u->scope), u->name);
	/* A unit that nothing refers to is forgotten as a whole, and this fails. */
	(void)bus.sd_bus_call_method(u->connection, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, "ResetFailedUnit",
				     NULL, NULL, "s", u->name);
	return 0;
}
