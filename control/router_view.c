#include "control/router_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/router_report.h"
#include "control/router_units.h"

#define ID_LEAST 12 /* digits of an identifier that stand for it */
/* docker.socket is enabled. */
#define DOCKER_WANTED "/etc/systemd/system/sockets.target.wants/" DOCKER_SOCKET_UNIT

static const char *progress_name(enum router_progress p)
{
	static const char *const names[] = {
		[ROUTER_OFF] = "off",
		[ROUTER_ENABLING] = "enabling",
		[ROUTER_ON] = "on",
		[ROUTER_DISABLING] = "disabling",
	};

	return names[p];
}

bool router_view_listens(const struct router_view *v)
{
	return v->listens && v->place == ROUTER_PLACE_HELD;
}

/* As the router does (router/admission.c). */
bool router_view_allows(const char *allowed, const struct router_container *c)
{
	if (strcmp(allowed, "all") == 0)
		return true;
	for (const char *p = allowed; *p; p += strcspn(p, " ,"), p += strspn(p, " ,")) {
		size_t len = strcspn(p, " ,");

		if ((len == strlen(c->name) && strncmp(p, c->name, len) == 0) ||
		    (len >= ID_LEAST && strncmp(p, c->id, len) == 0))
			return true;
	}
	return false;
}

static bool is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static int look_at_units(struct router_view *v, struct error *err)
{
	static const char *const names[] = {ROUTER_SOCKET_UNIT, ROUTER_SERVICE_UNIT, DOCKER_SOCKET_UNIT,
					    DOCKER_SERVICE_UNIT};
	_cleanup_manager_ struct manager *m = NULL;
	struct unit_state states[4] = {};
	int r;

	if (manager_connect(SCOPE_SYSTEM, &m, err) < 0)
		return -1;
	r = manager_query(m, names, 4, states, err);
	if (r == 0) {
		v->listens = strcmp(states[0].active_state, "active") == 0;
		v->serves = strcmp(states[1].active_state, "active") == 0;
		v->has_docker = strcmp(states[2].load_state, "loaded") == 0;
		v->docker_listens = strcmp(states[2].active_state, "active") == 0;
		v->docker_runs = strcmp(states[3].active_state, "active") == 0;
		v->docker_has_failed = strcmp(states[2].active_state, "failed") == 0;
		v->docker_is_missed = v->docker_has_failed || access(DOCKER_WANTED, F_OK) == 0;
	}
	unit_states_clear(states, 4);
	return r < 0 ? -1 : router_restricted_find(m, &v->restricted, &v->n_restricted, err);
}

/* Does not start a router that nobody uses, to hear that nobody uses it. */
static void look_at_report(struct router_view *v)
{
	struct error err;

	if (v->listens && v->serves && router_report_ask(ROUTER_STATUS_SOCKET, &v->report, &err) < 0)
		(void)snprintf(v->report_trouble, sizeof(v->report_trouble), "%s", err.text);
}

static void look_at_config(struct router_view *v)
{
	struct error err;

	if (router_report_check(LIBEXECDIR "/router", NULL, &v->allowed, &err) < 0)
		(void)snprintf(v->config_trouble, sizeof(v->config_trouble), "%s", err.text);
}

/* Does not start Docker either. */
static void look_at_docker(struct router_view *v, const struct router_move *m)
{
	const char *socket = router_move_docker_socket(m, v->listens, v->place);
	struct error err;

	if (v->docker_runs && v->docker_listens && socket && router_docker_ask(socket, &v->docker, &err) < 0)
		(void)snprintf(v->docker_trouble, sizeof(v->docker_trouble), "%s", err.text);
}

int router_view_look(struct router_view *ret, struct error *err)
{
	const struct router_move move = {.root = ""};

	*ret = (struct router_view){
		.progress = router_move_progress(&move),
		.is_moved = access(ROUTER_ENGINE_SOCKET, F_OK) == 0,
		.is_link = is_link(ROUTER_SOCKET),
		.place = router_place_look(ROUTER_SOCKET, 1),
	};
	if (look_at_units(ret, err) < 0)
		return -1;
	if (geteuid() == 0) {
		look_at_report(ret);
		look_at_docker(ret, &move);
	}
	look_at_config(ret);
	return 0;
}

void router_view_clear(struct router_view *v)
{
	free(v->allowed);
	free(v->restricted);
	cJSON_Delete(v->report);
	router_docker_clear(&v->docker);
	*v = (struct router_view){};
}

static cJSON *string_or_null(const char *text)
{
	return text && *text ? cJSON_CreateString(text) : cJSON_CreateNull();
}

static cJSON *containers_to_json(const struct router_view *v)
{
	cJSON *array = cJSON_CreateArray();

	for (size_t k = 0; k < v->docker.n; k++) {
		const struct router_container *c = &v->docker.containers[k];
		cJSON *object;

		if (!c->has_socket)
			continue;
		object = cJSON_CreateObject();
		cJSON_AddStringToObject(object, "name", c->name);
		cJSON_AddBoolToObject(object, "running", c->runs);
		cJSON_AddItemToObject(object, "allowed",
				      v->allowed ? cJSON_CreateBool(router_view_allows(v->allowed, c))
						 : cJSON_CreateNull());
		cJSON_AddItemToArray(array, object);
	}
	return array;
}

static cJSON *restricted_to_json(const struct router_view *v)
{
	cJSON *array = cJSON_CreateArray();

	for (size_t k = 0; k < v->n_restricted; k++) {
		const struct router_restricted *r = &v->restricted[k];
		cJSON *object = cJSON_CreateObject();

		cJSON_AddStringToObject(object, "name", r->name);
		cJSON_AddStringToObject(object, "socket", r->socket);
		cJSON_AddStringToObject(object, "configuration", r->config);
		cJSON_AddBoolToObject(object, "listening", r->listens);
		cJSON_AddItemToObject(object, "configuration_error", string_or_null(r->trouble));
		cJSON_AddItemToArray(array, object);
	}
	return array;
}

/* Empty if nobody is connected; null if that is not known. */
static void add_report(const struct router_view *v, cJSON *object)
{
	static const char *const keys[] = {"connections", "workers", "managers", "engines"};
	bool known = geteuid() == 0 && !*v->report_trouble;

	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
		const cJSON *part = v->report ? cJSON_GetObjectItem(v->report, keys[k]) : NULL;

		cJSON_AddItemToObject(object, keys[k],
				      part    ? cJSON_Duplicate(part, true)
				      : known ? cJSON_CreateArray()
					      : cJSON_CreateNull());
	}
}

cJSON *router_view_to_json(const struct router_view *v)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "state", progress_name(v->progress));
	cJSON_AddBoolToObject(object, "listening", router_view_listens(v));
	cJSON_AddBoolToObject(object, "running", v->serves);
	cJSON_AddStringToObject(object, "socket", ROUTER_SOCKET);
	cJSON_AddItemToObject(object, "docker_socket",
			      !v->has_docker ? cJSON_CreateNull()
			      : v->is_moved  ? cJSON_CreateString(ROUTER_ENGINE_SOCKET)
					     : cJSON_CreateString(ROUTER_SOCKET));
	cJSON_AddBoolToObject(object, "docker_listening", v->docker_listens);
	cJSON_AddItemToObject(object, "configuration_error", string_or_null(v->config_trouble));
	cJSON_AddItemToObject(object, "error", string_or_null(v->report_trouble));
	add_report(v, object);
	cJSON_AddItemToObject(object, "containers", containers_to_json(v));
	cJSON_AddItemToObject(object, "restricted", restricted_to_json(v));
	return object;
}
