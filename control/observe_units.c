#include "control/observe_units.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "control/listen_check.h"
#include "control/unfinished.h"
#include "handover/channel.h"
#include "units/hidden.h"
#include "units/paths.h"
#include "units/query.h"

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static enum state judge(const struct unit_state *socket, const struct unit_state *service)
{
	if (is(service->active_state, "active") || is(service->active_state, "reloading") ||
	    is(service->sub_state, "start-post"))
		return STATE_AWAKE;
	if (is(service->active_state, "activating"))
		return is(service->sub_state, "auto-restart") ? STATE_FAILED : STATE_WAKING;
	if (is(service->active_state, "deactivating"))
		return STATE_STOPPING;
	if (!is(socket->active_state, "active"))
		return STATE_OFF;
	return is(service->active_state, "failed") ? STATE_FAILED : STATE_ASLEEP;
}

/* A closed socket stays closed until it is started again. */
static void socket_reason(struct observation *o, const struct unit_state *socket)
{
	const struct instance *i = &o->stored->instance;
	bool could_not_listen = is(socket->result, "resources"), may_look = i->scope == SCOPE_USER || geteuid() == 0;
	char reason[UNIT_REASON_MAX];

	unit_reason(socket, reason);
	if (could_not_listen && !may_look)
		snprintf(o->reason, sizeof(o->reason),
			 "systemd could not open the socket: 'sudo sockwake status %s' says what is in its way",
			 i->name);
	else if (could_not_listen && listen_check_describe_obstacle(i, reason, sizeof(reason)))
		snprintf(o->reason, sizeof(o->reason), "%.400s; then 'sockwake refresh %s' opens the socket", reason,
			 i->name);
	else if (could_not_listen)
		snprintf(o->reason, sizeof(o->reason),
			 "systemd could not open the socket, and nothing is in its way any more: 'sockwake refresh %s' "
			 "opens it",
			 i->name);
	else if (reason[0])
		snprintf(o->reason, sizeof(o->reason),
			 "%.400s, which closed the socket: 'sockwake refresh %s' opens it again", reason, i->name);
}

static bool begins_with(const char *text, const char *beginning)
{
	return text && strncmp(text, beginning, strlen(beginning)) == 0;
}

static bool tells_of_a_wake(const struct unit_state *service)
{
	return begins_with(service->status_text, STATUS_STILL_STARTING) ||
	       begins_with(service->status_text, STATUS_WAITS);
}

/* Its service runs, to find out who has connected, and wakes nothing for those. */
static bool tells_of_nobody(const struct observation *o, const struct unit_state *service)
{
	return (o->state == STATE_WAKING || o->state == STATE_AWAKE) &&
	       begins_with(service->status_text, STATUS_NOBODY);
}

/* Other status texts of a stopping service report normal operation. */
static bool says_why(const struct unit_state *service)
{
	return service->status_text &&
	       (is(service->active_state, "activating") || begins_with(service->status_text, STATUS_NOT_ASLEEP));
}

/* Was the service started before its unit was written? */
static bool is_older(const struct unit_state *service)
{
	uint64_t since = service->main_start ? wall_usec() - time_since(service->main_start) : 0;
	struct stat st;

	return service->main_pid && since && service->fragment_path && stat(service->fragment_path, &st) == 0 &&
	       (uint64_t)st.st_mtim.tv_sec * USEC_PER_SEC + (uint64_t)st.st_mtim.tv_nsec / 1000 > since;
}

static void take_states(struct observation *o, const struct unit_state *socket, const struct unit_state *service)
{
	o->state = judge(socket, service);
	o->changed = is_older(service);
	o->since_usec = o->state == STATE_OFF ? socket->since_usec : service->since_usec;
	snprintf(o->socket_state, sizeof(o->socket_state), "%s", socket->active_state);
	if (tells_of_nobody(o, service)) {
		o->state = STATE_ASLEEP;
		o->since_usec = 0;
		return;
	}
	/* The container has ended and is woken again: the service is active all the while. */
	if (o->state == STATE_AWAKE && tells_of_a_wake(service)) {
		o->state = STATE_WAKING;
		o->since_usec = 0;
	}
	/* After a failed wake the keeper says why, and puts the container to sleep, while systemd still waits for the
	 * start. It also says why a wake takes long. */
	if (o->state == STATE_WAKING && begins_with(service->status_text, STATUS_STILL_STARTING))
		snprintf(o->reason, sizeof(o->reason), "%s", service->status_text);
	else if (o->state == STATE_WAKING && begins_with(service->status_text, STATUS_WAITS))
		snprintf(o->phase, sizeof(o->phase), "%s", service->status_text + strlen(STATUS_WAITS));
	else if (o->state == STATE_WAKING && service->status_text && service->status_text[0])
		o->state = STATE_STOPPING;
	if (o->state == STATE_FAILED || o->state == STATE_STOPPING)
		unit_reason(service, o->reason);
	if (o->state == STATE_STOPPING && !o->reason[0] && says_why(service))
		snprintf(o->reason, sizeof(o->reason), "%s", service->status_text);
	if (o->state != STATE_OFF)
		return;
	socket_reason(o, socket);
	if (is(socket->load_state, "not-found"))
		snprintf(o->reason, sizeof(o->reason),
			 "the service manager does not know the socket: run "
			 "'systemctl %sdaemon-reload' or log in again",
			 o->stored->instance.scope == SCOPE_USER ? "--user " : "");
	else if (!o->reason[0] && unfinished_is_there(o->stored->instance.scope, o->stored->instance.name))
		snprintf(o->reason, sizeof(o->reason),
			 "a command is changing it, or was broken off while it did: then 'sockwake refresh %s' opens "
			 "the socket again",
			 o->stored->instance.name);
	else if (!o->reason[0])
		snprintf(o->reason, sizeof(o->reason),
			 "the socket was stopped: 'systemctl %s%s %s.socket' opens it again",
			 o->stored->instance.scope == SCOPE_USER ? "--user " : "",
			 o->stored->enabled ? "start" : "enable --now", o->stored->instance.name);
}

/* The units of one instance that are asked about: its own, and the one that runs its container, else its service again. */
enum { ASK_SOCKET, ASK_SERVICE, ASK_RUNNER, ASKED };

static void take_all(struct observation *o, const struct unit_state *states)
{
	const struct stored *s = o->stored;

	o->without_unit = !s->problem && s->instance.unit && is(states[ASK_RUNNER].load_state, "not-found");
	take_states(o, &states[ASK_SOCKET], &states[ASK_SERVICE]);
}

/* The unit of the proxy; instances of the original tool have another one for the container. */
static const char *service_suffix(const struct stored *s)
{
	return s->instance.legacy ? LEGACY_SUFFIX : SERVICE_SUFFIX;
}

struct unit_names {
	char socket[UNIT_NAME_MAX], service[UNIT_NAME_MAX];
};

/* Instances that have slept since the boot, as most have, need no further request. */
static void choose_details(const struct observation *o, struct unit_state *socket, struct unit_state *service)
{
	if (!is(socket->active_state, "active"))
		socket->details = DETAILS_ALL;
	if (!is(service->active_state, "inactive"))
		service->details = DETAILS_ALL;
	else if (o->have_stats)
		service->details = DETAILS_SINCE;
}

/* If the manager does not tell, there is nothing to warn of. */
static void find_hidden(struct manager *m, enum scope scope, const struct stored_list *list, struct observation *os)
{
	_cleanup_free_ const struct instance **instances = calloc(list->n, sizeof(*instances));
	_cleanup_free_ struct hidden *hidden = calloc(list->n, sizeof(*hidden));
	char directory[PATH_MAX];
	struct error ignored;

	for (size_t k = 0; instances && k < list->n; k++)
		instances[k] = &list->items[k].instance;
	if (!instances || !hidden || unit_directory(scope, directory, &ignored) < 0 ||
	    hidden_find(m, directory, instances, list->n, hidden, &ignored) < 0)
		return;
	for (size_t k = 0; k < list->n; k++)
		snprintf(os[k].hides, sizeof(os[k].hides), "%.*s", (int)sizeof(os[k].hides) - 1, hidden[k].path);
}

int observe_units(enum scope scope, const struct stored_list *list, struct observation *os, struct error *err)
{
	_cleanup_free_ struct unit_names *names = calloc(list->n, sizeof(*names));
	_cleanup_free_ const char **pointers = calloc(list->n, ASKED * sizeof(*pointers));
	_cleanup_free_ struct unit_state *states = calloc(list->n, ASKED * sizeof(*states));
	_cleanup_manager_ struct manager *m = NULL;
	int r;

	if (!names || !pointers || !states)
		return error_errno(err, ENOMEM, "cannot ask the service manager");
	for (size_t k = 0; k < list->n; k++) {
		const struct stored *s = &list->items[k];

		const char **asked = pointers + ASKED * k;

		asked[ASK_SOCKET] = unit_name(s->instance.name, SOCKET_SUFFIX, names[k].socket);
		asked[ASK_SERVICE] = unit_name(s->instance.name, service_suffix(s), names[k].service);
		asked[ASK_RUNNER] = !s->problem && s->instance.unit ? s->instance.unit : asked[ASK_SERVICE];
	}
	if (manager_connect(scope, &m, err) < 0)
		return -1;
	r = manager_query(m, pointers, ASKED * list->n, states, err);
	for (size_t k = 0; r == 0 && k < list->n; k++)
		choose_details(&os[k], &states[ASKED * k + ASK_SOCKET], &states[ASKED * k + ASK_SERVICE]);
	if (r == 0)
		r = manager_ask_details(m, states, ASKED * list->n, err);
	for (size_t k = 0; r == 0 && k < list->n; k++)
		take_all(&os[k], states + ASKED * k);
	if (r == 0)
		find_hidden(m, scope, list, os);
	unit_states_clear(states, ASKED * list->n);
	return r;
}
