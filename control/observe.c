#include "control/observe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/backend.h"
#include "backends/engine.h"
#include "common/clock.h"
#include "common/parse.h"
#include "common/path.h"
#include "control/listen_check.h"
#include "control/outlook.h"
#include "control/programs.h"
#include "control/sharing.h"
#include "control/unfinished.h"
#include "control/waiting.h"
#include "handover/channel.h"
#include "instance/json.h"
#include "units/hidden.h"
#include "units/paths.h"
#include "units/query.h"

const char *observe_state_name(enum state state)
{
	static const char *const names[] = {
		[STATE_UNKNOWN] = "unknown", [STATE_ASLEEP] = "asleep",	    [STATE_WAKING] = "waking",
		[STATE_AWAKE] = "awake",     [STATE_STOPPING] = "stopping", [STATE_FAILED] = "failed",
		[STATE_OFF] = "off",
	};

	return names[state];
}

uint64_t observation_connections(const struct observation *o)
{
	bool runs = o->state == STATE_AWAKE || o->state == STATE_STOPPING;

	return runs && o->have_stats ? o->stats.connections + o->stats.flows : 0;
}

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

/* Other status texts of a stopping service report normal operation. */
static bool says_why(const struct unit_state *service)
{
	return service->status_text &&
	       (is(service->active_state, "activating") || begins_with(service->status_text, STATUS_NOT_ASLEEP));
}

static void observe_units(struct observation *o, const struct unit_state *socket, const struct unit_state *service)
{
	o->state = judge(socket, service);
	o->since_usec = o->state == STATE_OFF ? socket->since_usec : service->since_usec;
	snprintf(o->socket_state, sizeof(o->socket_state), "%s", socket->active_state);
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

static int ask_manager(enum scope scope, const struct stored_list *list, struct observation *os, struct error *err)
{
	_cleanup_free_ struct unit_names *names = calloc(list->n, sizeof(*names));
	_cleanup_free_ const char **pointers = calloc(list->n, 2 * sizeof(*pointers));
	_cleanup_free_ struct unit_state *states = calloc(list->n, 2 * sizeof(*states));
	_cleanup_manager_ struct manager *m = NULL;
	int r;

	if (!names || !pointers || !states)
		return error_errno(err, ENOMEM, "cannot ask the service manager");
	for (size_t k = 0; k < list->n; k++) {
		const struct stored *s = &list->items[k];

		pointers[2 * k] = unit_name(s->instance.name, SOCKET_SUFFIX, names[k].socket);
		pointers[2 * k + 1] = unit_name(s->instance.name, service_suffix(s), names[k].service);
	}
	if (manager_connect(scope, &m, err) < 0)
		return -1;
	r = manager_query(m, pointers, 2 * list->n, states, err);
	for (size_t k = 0; r == 0 && k < list->n; k++)
		choose_details(&os[k], &states[2 * k], &states[2 * k + 1]);
	if (r == 0)
		r = manager_ask_details(m, states, 2 * list->n, err);
	for (size_t k = 0; r == 0 && k < list->n; k++)
		observe_units(&os[k], &states[2 * k], &states[2 * k + 1]);
	if (r == 0)
		find_hidden(m, scope, list, os);
	unit_states_clear(states, 2 * list->n);
	return r;
}

/* A container is named by its name, its identifier, or the beginning of that. */
static bool is_called(const struct container *c, const char *name)
{
	return is(c->name, name) || (strlen(name) >= 12 && strncmp(c->id, name, strlen(name)) == 0);
}

static void set_state(char ret[static 32], const char *state)
{
	snprintf(ret, 32, "%s", state);
}

/* c: NULL if there is none. */
static void take_container(const struct container *c, char ret_state[static 32], char ret_id[static 65])
{
	set_state(ret_state, c ? container_state_name(c->state) : "missing");
	snprintf(ret_id, 65, "%s", c ? c->id : "");
}

static const struct container *find_container(const struct container_list *containers, const char *name)
{
	for (size_t k = 0; k < containers->n; k++) {
		if (is_called(&containers->items[k], name))
			return &containers->items[k];
	}
	return NULL;
}

static void ask_container(struct engine *engine, const char *name, char ret_state[static 32], char ret_id[static 65])
{
	_cleanup_container_ struct container c = {};
	struct error err;

	if (engine->backend->inspect(engine, name, &c, &err) == 0)
		take_container(&c, ret_state, ret_id);
	else if (err.code == ENOENT)
		take_container(NULL, ret_state, ret_id);
}

/* One request for each container, so that a bad one fails alone. */
static void ask_each(struct engine *engine, const struct instance *first, struct observation *os, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		const struct instance *i = &os[k].stored->instance;

		if (os[k].stored->problem || !instances_share_engine(i, first))
			continue;
		ask_container(engine, i->container_name, os[k].container_state, os[k].container_id);
		for (size_t m = 0; m < i->n_dependencies; m++)
			ask_container(engine, i->dependencies[m].container, os[k].dependency_states[m],
				      os[k].dependency_ids[m]);
	}
}

/* One request to the engine of `first`, for all instances of that engine. */
static int ask_engine(enum scope scope, const struct instance *first, uint64_t patience, struct observation *os,
		      size_t n, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_container_list_ struct container_list containers = {};

	if (engine_open(first->backend, scope, first->engine_socket, &engine, err) < 0)
		return -1;
	engine->deadline = now_usec() + patience;
	if (engine->backend->list(engine, &containers, err) < 0) {
		if (!error_forgive(err, EPROTO) && !error_forgive(err, EFBIG))
			return -1;
		ask_each(engine, first, os, n);
		return 0;
	}
	for (size_t k = 0; k < n; k++) {
		const struct instance *i = &os[k].stored->instance;

		if (os[k].stored->problem || !instances_share_engine(i, first))
			continue;
		take_container(find_container(&containers, i->container_name), os[k].container_state,
			       os[k].container_id);
		for (size_t m = 0; m < i->n_dependencies; m++)
			take_container(find_container(&containers, i->dependencies[m].container),
				       os[k].dependency_states[m], os[k].dependency_ids[m]);
	}
	return 0;
}

static void note(struct error *trouble, const struct error *err)
{
	if (!trouble->text[0])
		*trouble = *err;
}

static void ask_engines(enum scope scope, uint64_t patience, struct observation *os, size_t n, struct error *trouble)
{
	struct error err;

	for (size_t k = 0; k < n; k++) {
		const struct instance *i = &os[k].stored->instance;
		bool asked = os[k].stored->problem;

		for (size_t m = 0; m < k && !asked; m++)
			asked = !os[m].stored->problem && instances_share_engine(i, &os[m].stored->instance);
		if (!asked && ask_engine(scope, i, patience, &os[k], n - k, &err) < 0)
			note(trouble, &err);
	}
}

static void read_statistics(enum scope scope, struct observation *os, size_t n)
{
	char directory[PATH_MAX], path[PATH_MAX], file[UNIT_NAME_MAX];
	struct error ignored;

	if (runtime_directory_find(scope, directory, &ignored) < 0)
		return;
	for (size_t k = 0; k < n; k++) {
		unit_name(os[k].stored->instance.name, ".stats", file);
		os[k].have_stats = path_join(directory, file, path, &ignored) == 0 &&
				   stats_read(path, &os[k].stats, &ignored) == 0 && stats_are_plausible(&os[k].stats);
	}
}

/* An obstacle to waking is the most important reason; a sleeping instance that cannot wake counts as failed. */
static void look_at_units(enum scope scope, struct observation *os, size_t n)
{
	_cleanup_programs_ struct programs programs = {};
	char directory[PATH_MAX], reason[UNIT_REASON_MAX];
	struct error ignored;

	if (unit_directory(scope, directory, &ignored) < 0)
		return;
	for (size_t k = 0; k < n; k++) {
		if (os[k].stored->problem)
			continue;
		programs_describe_units(&programs, directory, &os[k].stored->instance, reason, sizeof(reason));
		if (!reason[0])
			continue;
		strcpy(os[k].reason, reason);
		if (os[k].state == STATE_ASLEEP)
			os[k].state = STATE_FAILED;
	}
}

/* Compares by name and by identifier. */
static bool is_same_container(const char *name, const char *id, const struct observation *o)
{
	return is(name, o->stored->instance.container_name) || (id[0] && is(id, o->container_id));
}

/* Is the instance `user` not asleep, and does it use the container of o? */
static bool attends(const struct observation *user, const struct observation *o)
{
	const struct instance *i = &user->stored->instance;
	bool found;

	/* Checks without access to the file system come first: there may be hundreds of instances, each compared with
	 * each. */
	if (user->stored->problem ||
	    (user->state != STATE_WAKING && user->state != STATE_AWAKE && user->state != STATE_STOPPING))
		return false;
	found = is_same_container(i->container_name, user->container_id, o);
	for (size_t m = 0; m < i->n_dependencies && !found; m++)
		found = is_same_container(i->dependencies[m].container, user->dependency_ids[m], o);
	return found && instances_share_engine(i, &o->stored->instance);
}

static void find_shared(struct observation *os, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		for (size_t m = 0; m < n && !os[k].attended_by[0]; m++) {
			if (m != k && attends(&os[m], &os[k]))
				strcpy(os[k].attended_by, os[m].stored->instance.name);
		}
	}
}

static bool is_full(const struct observation *o)
{
	return o->state == STATE_AWAKE && o->have_stats && o->stats.flags & STATS_FULL;
}

/* Adds what only the statistics and the kernel know. */
static void look_at_clients(struct observation *o)
{
	const struct instance *i = &o->stored->instance;
	uint64_t now = wall_usec();

	if (o->stored->problem)
		return;
	if (o->have_stats && o->state == STATE_AWAKE) {
		o->held_until = stats_held_until(&o->stats, now);
		o->held_always = outlook_is_always(&o->stats, now);
		o->sleeps_at = o->held_always ? 0 : outlook_sleep(i, &o->stats, now_usec(), now);
	}
	if (o->state == STATE_WAKING || o->state == STATE_STOPPING || is_full(o))
		o->waiting = waiting_count(i);
	o->somebody_waits = o->waiting > 0 || (o->state == STATE_WAKING && o->have_stats && o->stats.t_waiting);
}

int observe(enum scope scope, const struct stored_list *list, uint64_t patience, struct observation **ret,
	    struct error *ret_trouble, struct error *err)
{
	_cleanup_free_ struct observation *os = calloc(list->n + 1, sizeof(*os));
	struct error failure;

	if (!os)
		return error_errno(err, ENOMEM, "cannot look at the instances");
	*ret_trouble = (struct error){};
	for (size_t k = 0; k < list->n; k++) {
		os[k].stored = &list->items[k];
		snprintf(os[k].socket_state, sizeof(os[k].socket_state), "unknown");
		set_state(os[k].container_state, "unknown");
		for (size_t m = 0; m < list->items[k].instance.n_dependencies; m++)
			set_state(os[k].dependency_states[m], "unknown");
	}
	read_statistics(scope, os, list->n);
	if (list->n > 0 && ask_manager(scope, list, os, &failure) < 0)
		note(ret_trouble, &failure);
	look_at_units(scope, os, list->n);
	ask_engines(scope, patience, os, list->n, ret_trouble);
	find_shared(os, list->n);
	for (size_t k = 0; k < list->n; k++) {
		look_at_clients(&os[k]);
		if (list->items[k].problem)
			snprintf(os[k].reason, sizeof(os[k].reason), "%s", list->items[k].problem);
		text_make_printable(os[k].reason);
		text_make_printable(os[k].phase);
	}
	*ret = steal_ptr(&os);
	return 0;
}

static bool add_seconds(cJSON *object, const char *key, uint64_t usec)
{
	if (usec == 0)
		return cJSON_AddNullToObject(object, key);
	return cJSON_AddNumberToObject(object, key, (double)usec / (double)USEC_PER_SEC);
}

static bool add_dependency_states(cJSON *object, const struct observation *o)
{
	size_t k = 0;
	cJSON *entry;

	cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(object, "with"))
	{
		if (!cJSON_AddStringToObject(entry, "container_state", o->dependency_states[k++]))
			return false;
	}
	return true;
}

static bool add_appearance(cJSON *object, const struct instance *i)
{
	static const char *const words[] = {
		[APPEAR_NOWHERE] = "nowhere",
		[APPEAR_OUTSIDE] = "outside",
		[APPEAR_LOCAL] = "local",
		[APPEAR_LOCAL_BEFORE] = "local",
	};

	return cJSON_AddStringToObject(object, "clients_appear", words[instance_appearance(i)]);
}

cJSON *observation_to_json(const struct observation *o)
{
	const struct instance *i = &o->stored->instance;
	_cleanup_free_ char *config = o->stored->problem ? NULL : instance_to_json(i);
	cJSON *object = config ? cJSON_Parse(config) : cJSON_CreateObject();

	if (object && (config || cJSON_AddStringToObject(object, "name", i->name)) &&
	    cJSON_AddStringToObject(object, "status", o->socket_state) &&
	    cJSON_AddStringToObject(object, "state", observe_state_name(o->state)) &&
	    (o->reason[0] ? cJSON_AddStringToObject(object, "reason", o->reason)
			  : cJSON_AddNullToObject(object, "reason")) &&
	    add_seconds(object, "since", o->since_usec) && add_seconds(object, "held_until", o->held_until) &&
	    add_seconds(object, "sleeps_at", o->sleeps_at) &&
	    (o->phase[0] ? cJSON_AddStringToObject(object, "phase", o->phase)
			 : cJSON_AddNullToObject(object, "phase")) &&
	    cJSON_AddNumberToObject(object, "waiting", (double)o->waiting) &&
	    cJSON_AddStringToObject(object, "container_state", o->container_state) &&
	    (o->hides[0] ? cJSON_AddStringToObject(object, "hides", o->hides)
			 : cJSON_AddNullToObject(object, "hides")) &&
	    cJSON_AddNumberToObject(object, "connections", (double)observation_connections(o)) &&
	    add_dependency_states(object, o) && add_appearance(object, i) &&
	    cJSON_AddBoolToObject(object, "legacy", i->legacy))
		return object;
	cJSON_Delete(object);
	return NULL;
}
