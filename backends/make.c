/* Requests that create and remove containers. Both engines take Docker's body to create one. Podman's own body has
 * changed between versions, and splits a network that is one word here into parts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/json.h"
#include "backends/make.h"
#include "backends/origin.h"
#include "backends/ports.h"
#include "backends/reply.h"
#include "backends/request.h"
#include "common/hash.h"
#include "common/parse.h"

#define FINGERPRINT_SIZE 17
#define VOLUMES_MAX	 64

/* How long an engine may still use a name for an earlier request, in microseconds; and milliseconds between two
 * checks. */
#define NAME_LIMIT (10 * USEC_PER_SEC)
#define NAME_PAUSE (100 * USEC_PER_MSEC)

void image_clear(struct image *i)
{
	for (size_t k = 0; k < i->n_volumes; k++)
		free(i->volumes[k]);
	free(i->volumes);
	*i = (struct image){};
}

bool image_parse(const char *text, size_t len, struct image *ret)
{
	_cleanup_json_ cJSON *root = json_parse(text, len, INSPECT_VALUES_MAX);
	const cJSON *volumes = json_member(json_member(root, "Config"), "Volumes");
	const cJSON *j;

	if (!reply_image_id(root, "Id", ret->id) || !ret->id[0] ||
	    !reply_exposed_ports(json_member(root, "Config"), "ExposedPorts", &ret->exposed_port))
		return false;
	if (!volumes)
		return true;
	if (!cJSON_IsObject(volumes) || cJSON_GetArraySize(volumes) > VOLUMES_MAX)
		return false;
	ret->volumes = calloc((size_t)cJSON_GetArraySize(volumes) + 1, sizeof(*ret->volumes));
	if (!ret->volumes)
		return false;
	cJSON_ArrayForEach(j, volumes)
	{
		if (!path_is_valid(j->string) || !(ret->volumes[ret->n_volumes] = strdup(j->string)))
			return false;
		ret->n_volumes++;
	}
	return true;
}

int engine_find_image(struct engine *e, const char *reference, struct image *ret, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	char path[1000];

	*ret = (struct image){};
	/* Both engines' APIs accept its slashes in the path; made_container_validate() has checked the rest. */
	snprintf(path, sizeof(path), "%s/images/%s/json", e->backend->prefix, reference);
	if (engine_call(e, "GET", path, NULL, &reply, err) < 0)
		return -1;
	if (reply.status == 404)
		return error_set(err, ENOENT, "%s has no image '%s' on this machine: '%s pull %s' gets it",
				 e->backend->title, reference, e->backend->name, reference);
	if (reply.status != 200 || !image_parse(reply.body, reply.len, ret))
		return reply_nonsense(e, err);
	return 0;
}

/* Is it one of the engine's own modes, with or without options, rather than a network that somebody has created? */
static bool is_network_mode(const char *network)
{
	static const char *const modes[] = {"none",  "host", "bridge",	    "default",	"private",
					    "pasta", "ns",   "slirp4netns", "container"};
	size_t len = strcspn(network, ":");

	for (size_t k = 0; k < sizeof(modes) / sizeof(*modes); k++) {
		if (strlen(modes[k]) == len && strncmp(modes[k], network, len) == 0)
			return true;
	}
	return false;
}

int engine_find_network(struct engine *e, const char *network, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	int len = (int)strcspn(network, ":,");
	char path[640];

	if (is_network_mode(network))
		return 0;
	snprintf(path, sizeof(path), "%s/networks/%.*s%s", e->backend->prefix, len, network,
		 e->backend->network_action);
	if (engine_call(e, "GET", path, NULL, &reply, err) < 0)
		return -1;
	return reply.status == 404
		       ? error_set(err, ENOENT, "%s has no network '%.*s': '%s network create %.*s' makes it",
				   e->backend->title, len, network, e->backend->name, len, network)
		       : 0;
}

bool version_has_quadlet(const char *version)
{
	unsigned major, minor;

	return strspn(version, "0123456789.") >= 3 && sscanf(version, "%3u.%3u", &major, &minor) == 2 &&
	       (major > 4 || (major == 4 && minor >= 4));
}

int engine_has_quadlet(struct engine *e, bool *ret, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	_cleanup_json_ cJSON *root = NULL;
	const char *version;
	char path[64];

	*ret = false;
	if (!e->backend->has_quadlets)
		return 0;
	snprintf(path, sizeof(path), "%s/version", e->backend->prefix);
	if (engine_call(e, "GET", path, NULL, &reply, err) < 0)
		return -1;
	root = json_parse(reply.body, reply.len, INSPECT_VALUES_MAX);
	version = json_string(root, "Version");
	if (reply.status != 200 || !version)
		return reply_nonsense(e, err);
	*ret = version_has_quadlet(version);
	return 0;
}

static bool add_list(cJSON *object, const char *key, char *const *list)
{
	cJSON *array = list ? cJSON_AddArrayToObject(object, key) : NULL;

	for (; array && *list; list++) {
		if (!cJSON_AddItemToArray(array, cJSON_CreateString(*list)))
			return false;
	}
	return array || !list;
}

char *made_container_to_json(const struct made_container *o, const char *name, const char *image, const char *image_id)
{
	_cleanup_free_ char *text = NULL;
	char as[FINGERPRINT_SIZE];
	_cleanup_json_ cJSON *root = cJSON_CreateObject();
	cJSON *labels = root ? cJSON_AddObjectToObject(root, "Labels") : NULL;
	cJSON *host = root ? cJSON_AddObjectToObject(root, "HostConfig") : NULL;

	/* Podman 4 takes a missing StopTimeout for 0, and would kill the server at once. */
	if (!host || !cJSON_AddStringToObject(root, "Image", image) ||
	    !cJSON_AddNumberToObject(root, "StopTimeout", DEFAULT_STOP_TIMEOUT) ||
	    !cJSON_AddStringToObject(labels, MADE_LABEL, name) ||
	    !cJSON_AddStringToObject(labels, MADE_OF_LABEL, image_id) || !add_list(root, "Env", o->environment) ||
	    !add_list(root, "Cmd", o->command) || !add_list(host, "Binds", o->volumes) ||
	    (o->network && !cJSON_AddStringToObject(host, "NetworkMode", o->network)))
		return NULL;
	text = cJSON_PrintUnformatted(root);
	if (!text)
		return NULL;
	snprintf(as, sizeof(as), "%016llx", (unsigned long long)fnv1a(FNV1A_BASIS, text));
	return cJSON_AddStringToObject(labels, MADE_AS_LABEL, as) ? cJSON_PrintUnformatted(root) : NULL;
}

/* Given an identifier, Docker would show that instead of the name from then on. */
static char *request_of(struct engine *e, const struct made_container *o, const char *name, const struct image *image)
{
	return made_container_to_json(o, name, e->backend->creates_by_id ? image->id : o->image, image->id);
}

bool engine_made_container_is_as(struct engine *e, const struct made_container *o, const char *name,
				 const struct image *image, const struct container *c)
{
	_cleanup_free_ char *json = request_of(e, o, name, image);
	const char *as = container_label(c, MADE_AS_LABEL);
	char label[sizeof(MADE_AS_LABEL) + FINGERPRINT_SIZE + 8];

	snprintf(label, sizeof(label), "\"" MADE_AS_LABEL "\":\"%s\"", as ? as : "");
	return json && strstr(json, label);
}

/* While Docker creates or removes a container, its name is taken but nobody can see it. */
static bool is_taken_by_nobody(struct engine *e, const char *name)
{
	_cleanup_container_ struct container c = {};
	struct error err;

	return e->backend->inspect(e, name, &c, &err) < 0 && err.code == ENOENT;
}

/* Repeats a request that gives a container this name as long as only the engine itself holds the name. */
static int request_name(struct engine *e, const char *path, const char *json, const char *name, struct http_reply *ret,
			struct error *err)
{
	uint64_t deadline = now_usec() + NAME_LIMIT;

	for (;;) {
		if (engine_call(e, "POST", path, json, ret, err) < 0)
			return -1;
		if (ret->status != 409)
			return 0;
		if (!is_taken_by_nobody(e, name) || !time_pause(NAME_PAUSE, deadline))
			return error_set(err, EEXIST, "%s has a container '%s' already", e->backend->title, name);
		http_reply_clear(ret);
	}
}

int engine_create_container(struct engine *e, const struct made_container *o, const char *name,
			    const struct image *image, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	_cleanup_free_ char *json = request_of(e, o, name, image);
	char path[320];

	if (!json || !container_name_is_valid(name))
		return error_set(err, EINVAL, "'%s' is not a container's name", name);
	snprintf(path, sizeof(path), "/containers/create?name=%s", name);
	if (request_name(e, path, json, name, &reply, err) < 0)
		return -1;
	if (reply.status == 201)
		return 0;
	if (reply.status == 404) /* the image or a network has gone */
		reply.status = 400;
	return reply_error(e, "create", name, &reply, err);
}

int engine_rename_container(struct engine *e, const char *container, const char *name, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	char path[640], id[CONTAINER_ID_SIZE];

	if (!container_name_is_valid(container) || !container_name_is_valid(name))
		return error_set(err, EINVAL, "'%s' and '%s' are not both names of containers", container, name);
	if (container_resolve(e, &container, id, err) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/containers/%s/rename?name=%s", e->backend->prefix, container, name);
	if (request_name(e, path, NULL, name, &reply, err) < 0)
		return -1;
	return reply.status == 204 ? 0 : reply_error(e, "rename", container, &reply, err);
}

int engine_end_container(struct engine *e, const struct container *c, struct error *err)
{
	uint64_t deadline = e->deadline;
	enum stop_result how;
	int r = 0;

	e->deadline = USEC_INFINITY; /* each request has its own limit */
	if (c->state == CONTAINER_PAUSED)
		r = e->backend->unpause(e, c->id, err) < 0 && !error_forgive(err, EBUSY) ? -1 : 0;
	if (r == 0 && c->state != CONTAINER_EXITED && c->state != CONTAINER_CREATED)
		r = e->backend->stop(e, c->id, c->stop_timeout, &how, err);
	e->deadline = deadline == USEC_INFINITY ? deadline : now_usec() + REQUEST_LIMIT;
	return r < 0 && !error_forgive(err, ENOENT) ? -1 : 0;
}

/* Docker: "removal of container … is already in progress" (409). */
static bool is_under_way(const struct http_reply *reply)
{
	char message[256];

	reply_message(reply->body, reply->len, message, sizeof(message));
	return reply->status == 409 && strstr(message, "in progress");
}

int engine_remove_container(struct engine *e, const char *container, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	char path[320], id[CONTAINER_ID_SIZE];

	if (!container_name_is_valid(container))
		return error_set(err, EINVAL, "'%s' is not a container's name", container);
	if (container_resolve(e, &container, id, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	snprintf(path, sizeof(path), "%s/containers/%s?force=true&v=false", e->backend->prefix, container);
	if (engine_call(e, "DELETE", path, NULL, &reply, err) < 0)
		return -1;
	/* Podman answers 200 with a report, or 204 */
	if (reply.status == 200 || reply.status == 204 || reply.status == 404 || is_under_way(&reply))
		return 0;
	return reply_error(e, "remove", container, &reply, err);
}
