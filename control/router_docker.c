#include "control/router_docker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/engine.h"
#include "backends/json.h"
#include "backends/request.h"
#include "common/io.h"
#include "control/router_move.h"

#define ASK_USEC   (20 * USEC_PER_SEC)
#define VALUES_MAX 1000000

void router_docker_clear(struct router_docker *d)
{
	free(d->containers);
	*d = (struct router_docker){};
}

bool router_docker_parse_info(const char *text, size_t len, struct router_docker *ret)
{
	_cleanup_json_ cJSON *info = json_parse(text, len, VALUES_MAX);

	ret->live_restore = false;
	return cJSON_IsObject(info) && json_bool(info, "LiveRestoreEnabled", &ret->live_restore);
}

/* Is the router's socket this file, or below this directory? */
static bool leads_to_socket(const char *source)
{
	char resolved[PATH_MAX];
	const char *path = path_resolve(source, resolved);
	size_t len = strlen(path);

	if (strcmp(path, "/") == 0)
		return true;
	return strncmp(ROUTER_SOCKET, path, len) == 0 && (ROUTER_SOCKET[len] == '\0' || ROUTER_SOCKET[len] == '/');
}

static bool has_socket(const cJSON *container)
{
	const cJSON *mount;

	cJSON_ArrayForEach(mount, json_member(container, "Mounts"))
	{
		const char *source = json_string(mount, "Source");

		if (source && *source == '/' && leads_to_socket(source))
			return true;
	}
	return false;
}

/* The first name; those that links give it have a second '/'. */
static const char *name_of(const cJSON *container)
{
	const cJSON *name;

	cJSON_ArrayForEach(name, json_member(container, "Names"))
	{
		const char *text = cJSON_GetStringValue(name);

		if (text && *text == '/' && container_name_is_valid(text + 1))
			return text + 1;
	}
	return NULL;
}

static bool is_up(const char *state)
{
	return state &&
	       (strcmp(state, "running") == 0 || strcmp(state, "paused") == 0 || strcmp(state, "restarting") == 0);
}

bool router_docker_parse_list(const char *text, size_t len, struct router_docker *ret)
{
	_cleanup_json_ cJSON *list = json_parse(text, len, VALUES_MAX);
	const cJSON *item;

	if (!cJSON_IsArray(list))
		return false;
	free(ret->containers);
	ret->n = 0;
	ret->containers = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*ret->containers));
	if (!ret->containers)
		return false;
	cJSON_ArrayForEach(item, list)
	{
		struct router_container *c = &ret->containers[ret->n];
		const char *name = name_of(item);

		if (!name)
			return false;
		(void)snprintf(c->name, sizeof(c->name), "%s", name);
		if (json_string(item, "Id"))
			(void)snprintf(c->id, sizeof(c->id), "%s", json_string(item, "Id"));
		c->runs = is_up(json_string(item, "State"));
		c->has_socket = has_socket(item);
		ret->n++;
	}
	return true;
}

static int ask(struct engine *e, const char *path, bool (*parse)(const char *, size_t, struct router_docker *),
	       struct router_docker *ret, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	const struct http_request request = {
		.method = "GET", .path = path, .deadline = request_deadline(e, ASK_USEC), .max_reply = LIST_REPLY_MAX};

	if (engine_request(e, &request, &reply, err) < 0)
		return -1;
	return reply.status == 200 && parse(reply.body, reply.len, ret) ? 0 : reply_nonsense(e, err);
}

/* {"status":["running","paused","restarting"]} */
#define LIST	      "/containers/json?all=1"
#define LIST_OF_THOSE "&filters=%7B%22status%22:%5B%22running%22,%22paused%22,%22restarting%22%5D%7D"

/* Under rules somebody may be allowed to create containers, with as many labels and words as fit, and not to start them: then the list
 * of those that run still fits. */
static int ask_for_list(struct engine *e, struct router_docker *ret, struct error *err)
{
	if (ask(e, LIST, router_docker_parse_list, ret, err) == 0)
		return 0;
	if (!error_forgive(err, EPROTO)) /* such as a reply that is too large */
		return -1;
	return ask(e, LIST LIST_OF_THOSE, router_docker_parse_list, ret, err);
}

int router_docker_ask(const char *socket, struct router_docker *ret, struct error *err)
{
	_cleanup_engine_ struct engine *e = NULL;

	*ret = (struct router_docker){};
	if (engine_open(BACKEND_DOCKER, SCOPE_SYSTEM, socket, &e, err) < 0)
		return -1;
	e->deadline = time_from_now(ASK_USEC);
	if (ask(e, "/info", router_docker_parse_info, ret, err) < 0 || ask_for_list(e, ret, err) < 0) {
		router_docker_clear(ret);
		return -1;
	}
	return 0;
}

#define NAMES_SIZE 512

/* "a b c" of those that run; *ret_more: how many did not fit. */
static size_t name_running(const struct router_docker *d, char ret[static NAMES_SIZE], size_t *ret_more)
{
	size_t used = 0, n = 0;

	*ret_more = 0;
	*ret = '\0';
	for (size_t k = 0; k < d->n; k++) {
		const char *name = d->containers[k].name;

		if (!d->containers[k].runs)
			continue;
		n++;
		if (*ret_more > 0 || used + strlen(name) + 2 > NAMES_SIZE) {
			(*ret_more)++;
			continue;
		}
		used += (size_t)snprintf(ret + used, NAMES_SIZE - used, "%s%s", used ? " " : "", name);
	}
	return n;
}

int router_docker_check_restart(const struct router_docker *d, struct error *err)
{
	char names[NAMES_SIZE], more[32] = "";
	size_t n_more, n = name_running(d, names, &n_more);

	if (d->live_restore || n == 0)
		return 0;
	if (n_more > 0)
		(void)snprintf(more, sizeof(more), ", and %zu more", n_more);
	return error_set(err, EBUSY,
			 "Docker has to be restarted, and %s would end: stop %s first ('docker stop %s'%s), or let "
			 "containers outlive Docker ('\"live-restore\": true' in /etc/docker/daemon.json, then 'sudo "
			 "systemctl reload docker')",
			 n == 1 ? "a container that runs" : "the containers that run", n == 1 ? "it" : "them", names,
			 more);
}
