/* The states of many units at once. */
#include "units/query.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/log.h"
#include "handover/channel.h"
#include "handover/exit.h"
#include "units/ask.h"

#define QUERY_TIMEOUT (30 * USEC_PER_SEC)
/* A bus daemon limits the unanswered calls of a client (dbus-daemon(1), max_replies_per_connection). */
#define WINDOW 64

struct query {
	struct unit_state *state;
	unsigned *pending;
	int *failure; /* a negative errno if an answer could not be read */
};

/* They come in one answer, so all are of the same moment; the state in the earlier list may be older. */
static const struct property {
	const char *name;
	char type;
	size_t offset;
} properties[] = {
	{"ActiveState", 's', offsetof(struct unit_state, active_state)},
	{"SubState", 's', offsetof(struct unit_state, sub_state)},
	{"FragmentPath", 's', offsetof(struct unit_state, fragment_path)},
	{"StatusText", 's', offsetof(struct unit_state, status_text)},
	{"Result", 's', offsetof(struct unit_state, result)},
	{"StateChangeTimestamp", 't', offsetof(struct unit_state, since_usec)},
	{"ExecMainCode", 'i', offsetof(struct unit_state, main_code)},
	{"ExecMainStatus", 'i', offsetof(struct unit_state, main_status)},
	{"MainPID", 'u', offsetof(struct unit_state, main_pid)},
	{"ExecMainStartTimestampMonotonic", 't', offsetof(struct unit_state, main_start)},
	{"NeedDaemonReload", 'b', offsetof(struct unit_state, need_reload)},
};

void unit_states_clear(struct unit_state *states, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		free(states[k].load_state);
		free(states[k].active_state);
		free(states[k].sub_state);
		free(states[k].object);
		free(states[k].fragment_path);
		free(states[k].status_text);
		free(states[k].result);
		states[k] = (struct unit_state){};
	}
}

static int replace(char **s, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*s);
	*s = copy;
	return 0;
}

static int read_property(sd_bus_message *reply, const struct property *p, struct unit_state *s)
{
	void *member = (char *)s + p->offset;
	const char *text;
	int flag, r;

	switch (p->type) {
	case 's':
		r = bus.sd_bus_message_read(reply, "v", "s", &text);
		return r < 0 ? r : replace(member, text);
	case 'b':
		r = bus.sd_bus_message_read(reply, "v", "b", &flag);
		if (r >= 0)
			*(bool *)member = flag;
		return r;
	default:
		return bus.sd_bus_message_read(reply, "v", (char[]){p->type, '\0'}, member);
	}
}

static const struct property *find_property(const char *name)
{
	for (size_t k = 0; k < sizeof(properties) / sizeof(*properties); k++) {
		if (strcmp(properties[k].name, name) == 0)
			return &properties[k];
	}
	return NULL;
}

static int read_properties(sd_bus_message *reply, struct unit_state *s)
{
	const struct property *p;
	const char *name;
	int r;

	r = bus.sd_bus_message_enter_container(reply, 'a', "{sv}");
	while (r >= 0 && (r = bus.sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
		r = bus.sd_bus_message_read(reply, "s", &name);
		if (r < 0)
			return r;
		p = find_property(name);
		r = p ? read_property(reply, p, s) : bus.sd_bus_message_skip(reply, "v");
		if (r >= 0)
			r = bus.sd_bus_message_exit_container(reply);
	}
	return r;
}

/* A unit that was unloaded meanwhile has no details. */
static int answer_errno(sd_bus_message *reply)
{
	if (bus.sd_bus_message_is_method_error(reply, "org.freedesktop.DBus.Error.UnknownObject") ||
	    bus.sd_bus_message_is_method_error(reply, "org.freedesktop.systemd1.NoSuchUnit"))
		return -ENOENT;
	return -bus.sd_bus_message_get_errno(reply);
}

static int answered(struct query *q, int r)
{
	(*q->pending)--;
	if (r < 0 && r != -ENOENT)
		*q->failure = r;
	return 0;
}

static int on_properties(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	struct query *q = data;
	int r = answer_errno(reply);

	(void)unused;
	return answered(q, r < 0 ? r : read_properties(reply, q->state));
}

static int on_since(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	struct query *q = data;
	int r = answer_errno(reply);

	(void)unused;
	return answered(q, r < 0 ? r : bus.sd_bus_message_read(reply, "v", "t", &q->state->since_usec));
}

static int drain(sd_bus *connection, const unsigned *pending, unsigned limit, const int *failure)
{
	while (*pending > limit) {
		int r = bus.sd_bus_process(connection, NULL);

		if (r == 0)
			r = bus.sd_bus_wait(connection, UINT64_MAX); /* each call has its own time-out */
		if (r < 0 && r != -EINTR)
			return r;
	}
	return *failure;
}

/* The answer has the units in the order of the names, each once. */
static int read_unit(sd_bus_message *reply, struct unit_state *s)
{
	const char *name, *description, *load, *active, *sub, *followed, *object, *job_type, *job;
	uint32_t job_id;
	int r = bus.sd_bus_message_read(reply, "(ssssssouso)", &name, &description, &load, &active, &sub, &followed,
					&object, &job_id, &job_type, &job);

	if (r == 0)
		r = -EBADMSG; /* too few */
	if (r >= 0)
		r = replace(&s->load_state, load);
	if (r >= 0)
		r = replace(&s->active_state, active);
	if (r >= 0)
		r = replace(&s->sub_state, sub);
	return r < 0 ? r : replace(&s->object, object);
}

static int list_units(sd_bus *connection, const char *const *names, size_t n, sd_bus_message **ret,
		      sd_bus_error *bus_error)
{
	_cleanup_message_ sd_bus_message *call = NULL;
	uint64_t began = log_clock();
	int r = bus.sd_bus_message_new_method_call(connection, &call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
						   "ListUnitsByNames");

	if (r >= 0)
		r = bus.sd_bus_message_open_container(call, 'a', "s");
	for (size_t k = 0; r >= 0 && k < n; k++)
		r = bus.sd_bus_message_append(call, "s", names[k]);
	if (r >= 0)
		r = bus.sd_bus_message_close_container(call);
	if (r >= 0)
		r = bus.sd_bus_call(connection, call, QUERY_TIMEOUT, bus_error, ret);
	bus_tell("ListUnitsByNames", n > 0 ? names[0] : "", began, r);
	return r;
}

/* Makes no string NULL, also those that are not requested. */
static int fill(struct unit_state *s)
{
	char **strings[] = {&s->load_state,    &s->active_state, &s->sub_state, &s->object,
			    &s->fragment_path, &s->status_text,	 &s->result};
	int r = 0;

	*s = (struct unit_state){};
	for (size_t k = 0; k < sizeof(strings) / sizeof(*strings); k++)
		r |= replace(strings[k], "");
	return r;
}

static int query_once(struct manager *m, const char *const *names, size_t n, struct unit_state *ret, struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	int r = 0;

	for (size_t k = 0; k < n; k++)
		r |= fill(&ret[k]);
	if (r >= 0)
		r = list_units(m->bus, names, n, &reply, &bus_error);
	if (r >= 0)
		r = bus.sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
	for (size_t k = 0; r >= 0 && k < n; k++)
		r = read_unit(reply, &ret[k]);
	return r < 0 ? bus_failed(m, err, "cannot ask the service manager for the state of units", r, &bus_error) : 0;
}

int manager_query(struct manager *m, const char *const *names, size_t n, struct unit_state *ret, struct error *err)
{
	int r = query_once(m, names, n, ret, err);

	while (r < 0 && ask_again(m, err)) {
		unit_states_clear(ret, n);
		r = query_once(m, names, n, ret, err);
	}
	return r;
}

static int ask(sd_bus *connection, struct query *q)
{
	_cleanup_message_ sd_bus_message *call = NULL;
	bool all = q->state->details == DETAILS_ALL;
	int r = bus.sd_bus_message_new_method_call(connection, &call, SYSTEMD_NAME, q->state->object,
						   "org.freedesktop.DBus.Properties", all ? "GetAll" : "Get");

	if (r >= 0) /* the empty name of an interface means all of them */
		r = all ? bus.sd_bus_message_append(call, "s", "")
			: bus.sd_bus_message_append(call, "ss", "org.freedesktop.systemd1.Unit",
						    "StateChangeTimestamp");
	if (r >= 0)
		r = bus.sd_bus_call_async(connection, NULL, call, all ? on_properties : on_since, q, QUERY_TIMEOUT);
	if (r >= 0)
		(*q->pending)++;
	return r;
}

static int ask_details_once(struct manager *m, struct unit_state *states, size_t n, struct error *err)
{
	_cleanup_free_ struct query *queries = calloc(n + 1, sizeof(*queries));
	uint64_t began = log_clock();
	unsigned pending = 0;
	int failure = 0, drained, r = queries ? 0 : -ENOMEM;

	for (size_t k = 0; r >= 0 && k < n; k++) {
		if (states[k].details == DETAILS_NONE || strcmp(states[k].load_state, "not-found") == 0)
			continue;
		queries[k] = (struct query){&states[k], &pending, &failure};
		r = ask(m->bus, &queries[k]);
		if (r >= 0)
			r = drain(m->bus, &pending, WINDOW, &failure);
	}
	/* Take all outstanding answers, also after an error: later ones would be written to freed memory. */
	drained = drain(m->bus, &pending, 0, &failure);
	bus_tell("Get", "the properties of these units", began, r < 0 ? r : drained);
	if (r >= 0)
		r = drained;
	return r < 0 ? bus_failed(m, err, "cannot ask the service manager about units", r, NULL) : 0;
}

int manager_ask_details(struct manager *m, struct unit_state *states, size_t n, struct error *err)
{
	int r;

	do
		r = ask_details_once(m, states, n, err);
	while (r < 0 && ask_again(m, err));
	return r;
}

int manager_examine(struct manager *m, const char *const *names, size_t n, struct unit_state *ret, struct error *err)
{
	if (manager_query(m, names, n, ret, err) < 0)
		return -1;
	for (size_t k = 0; k < n; k++)
		ret[k].details = DETAILS_ALL;
	return manager_ask_details(m, ret, n, err);
}

static const struct {
	const char *result, *reason;
} reasons[] = {
	{"timeout", "it did not start or stop in time"},
	{"oom-kill", "the kernel killed it because memory ran out"},
	{"core-dump", "it crashed"},
	{"watchdog", "it stopped answering"},
	{"protocol", "it ended before it was ready"},
	{"start-limit-hit", "it was started too often"},
	{"service-start-limit-hit", "its service was started too often"},
	{"trigger-limit-hit", "it was triggered too often"},
	{"resources", "systemd could not set it up"},
};

/* Otherwise the last status text is about an earlier event. */
static bool last_words_tell_the_end(const struct unit_state *s)
{
	const char *text = s->status_text ? s->status_text : "";

	return s->main_status == EXIT_REFUSED || s->main_status == EXIT_BROKEN_OFF
		       ? text[0] != '\0'
		       : strncmp(text, STATUS_STAYS, strlen(STATUS_STAYS)) == 0;
}

void unit_reason(const struct unit_state *s, char ret[static UNIT_REASON_MAX])
{
	ret[0] = '\0';
	if (!s->result[0] || strcmp(s->result, "success") == 0)
		return;
	if ((strcmp(s->result, "exit-code") == 0 || strcmp(s->result, "protocol") == 0) && last_words_tell_the_end(s)) {
		snprintf(ret, UNIT_REASON_MAX, "%s", s->status_text);
		return;
	}
	if (strcmp(s->result, "exit-code") == 0 && s->main_status == 0)
		snprintf(ret, UNIT_REASON_MAX, "one of its commands failed");
	else if (strcmp(s->result, "exit-code") == 0 && exit_is_before_main(s->main_status))
		snprintf(ret, UNIT_REASON_MAX, "systemd could not run its program (status %d)", s->main_status);
	else if (strcmp(s->result, "exit-code") == 0)
		snprintf(ret, UNIT_REASON_MAX, "it ended with status %d", s->main_status);
	else if (strcmp(s->result, "signal") == 0)
		snprintf(ret, UNIT_REASON_MAX, "it was killed by signal %d (%s)", s->main_status,
			 sigabbrev_np(s->main_status) ? sigabbrev_np(s->main_status) : "?");
	else
		snprintf(ret, UNIT_REASON_MAX, "%s", s->result);
	for (size_t k = 0; k < sizeof(reasons) / sizeof(*reasons); k++) {
		if (strcmp(s->result, reasons[k].result) == 0)
			snprintf(ret, UNIT_REASON_MAX, "%s", reasons[k].reason);
	}
}
