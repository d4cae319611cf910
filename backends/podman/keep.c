/* Keeps an image and volumes from being pruned.
 *
 * `podman container prune` removes stopped containers, unless they belong to a pod; `podman pod prune` removes pods whose
 * containers have all ended, and a container that was never started has not; `podman volume prune` and `podman image
 * prune` spare the volumes and images of existing containers; `podman system prune` does all of this (tried with Podman
 * 4.3 and 5.4). So the anchor, a container that is never started, refers to the image and the volumes. Its pod has no
 * infra container, which would have ended. The anchor is called "sockwake-CONTAINER-keep", its pod
 * "sockwake-CONTAINER-keep-pod" (Podman 4, and any with BoltDB, refuse one name for both). Starting the anchor by mistake
 * must not run the image on the volumes a second time: its command does not exist, and its name says why.
 */
#include "backends/podman/keep.h"

#include <stdio.h>
#include <string.h>

#include "backends/json.h"
#include "backends/keep.h"
#include "backends/podman/podman.h"
#include "backends/reply.h"
#include "backends/request.h"
#include "common/parse.h"
#include "instance/made_container.h"

#define COMMAND "/never-started/it-keeps-the-image-and-volumes-of-a-sleeping-container"

#define POD_NAME_MAX (ANCHOR_NAME_MAX + 8)

static const char *pod_name(const char *container, char ret[static POD_NAME_MAX])
{
	char name[ANCHOR_NAME_MAX];

	snprintf(ret, POD_NAME_MAX, "%s" ANCHOR_POD_SUFFIX, anchor_name(container, name));
	return ret;
}

static cJSON *add_labels(cJSON *root, const char *container)
{
	cJSON *labels = root ? cJSON_AddObjectToObject(root, "labels") : NULL;

	return labels ? cJSON_AddStringToObject(labels, KEEPS_LABEL, container) : NULL;
}

static char *format_pod(const char *container)
{
	char name[POD_NAME_MAX];
	_cleanup_json_ cJSON *root = cJSON_CreateObject();

	/* without a control group of its own, which Podman would request from systemd */
	if (!add_labels(root, container) || !cJSON_AddStringToObject(root, "name", pod_name(container, name)) ||
	    !cJSON_AddTrueToObject(root, "no_infra") || !cJSON_AddFalseToObject(root, "share_parent"))
		return NULL;
	return cJSON_PrintUnformatted(root);
}

/* The mount points do not matter. */
static bool add_volumes(cJSON *root, const char *const *volumes)
{
	cJSON *array = cJSON_AddArrayToObject(root, "volumes");
	char directory[32];

	for (unsigned k = 0; array && volumes && volumes[k]; k++) {
		cJSON *one = cJSON_CreateObject();

		snprintf(directory, sizeof(directory), "/keep/%u", k);
		if (!cJSON_AddItemToArray(array, one) || !cJSON_AddStringToObject(one, "Name", volumes[k]) ||
		    !cJSON_AddStringToObject(one, "Dest", directory))
			return false;
	}
	return array != NULL;
}

/* The image's own VOLUMEs would get unnamed volumes. */
static char *format_anchor(const char *container, const char *image, const char *const *volumes)
{
	char name[ANCHOR_NAME_MAX], pod[POD_NAME_MAX];
	_cleanup_json_ cJSON *root = cJSON_CreateObject();
	cJSON *entrypoint = root ? cJSON_AddArrayToObject(root, "entrypoint") : NULL;
	cJSON *network = root ? cJSON_AddObjectToObject(root, "netns") : NULL;

	if (!entrypoint || !network || !cJSON_AddItemToArray(entrypoint, cJSON_CreateString(COMMAND)) ||
	    !cJSON_AddStringToObject(network, "nsmode", "none") || !add_labels(root, container) ||
	    !cJSON_AddStringToObject(root, "name", anchor_name(container, name)) ||
	    !cJSON_AddStringToObject(root, "pod", pod_name(container, pod)) ||
	    !cJSON_AddStringToObject(root, "image", image) ||
	    !cJSON_AddStringToObject(root, "image_volume_mode", "ignore") || !add_volumes(root, volumes))
		return NULL;
	return cJSON_PrintUnformatted(root);
}

/* Takes over the body. A refusal is reported in the engine's words. */
static int post(struct engine *e, const char *path, char *json, const char *container, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	_cleanup_free_ char *body = json;
	bool absent;

	if (!body)
		return error_errno(err, ENOMEM, "cannot keep the image and volumes of '%s'", container);
	if (engine_call(e, "POST", path, body, &reply, err) < 0)
		return -1;
	if (reply.status == 201)
		return 0;
	absent = reply.status == 404; /* the image is missing: the request names no container */
	if (absent)
		reply.status = 400;
	reply_error(e, "keep the image and volumes of", container, &reply, err);
	if (absent)
		err->code = ENOENT;
	return -1;
}

/* Returns 1 if our pod exists; 0 if there is none, or somebody else has made the one of this name. */
static int find_pod(struct engine *e, const char *container, const char *name, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	_cleanup_json_ cJSON *root = NULL;
	char path[sizeof(PODMAN_PREFIX) + POD_NAME_MAX + 32];
	const char *keeps;

	snprintf(path, sizeof(path), PODMAN_PREFIX "/pods/%s/json", name);
	if (engine_call(e, "GET", path, NULL, &reply, err) < 0)
		return -1;
	if (reply.status == 404)
		return 0;
	if (reply.status != 200)
		return reply_error(e, "look at what is kept for", container, &reply, err);
	root = json_parse(reply.body, reply.len, INSPECT_VALUES_MAX);
	if (!root)
		return reply_nonsense(e, err);
	keeps = json_string(json_member(root, "Labels"), KEEPS_LABEL);
	return keeps && strcmp(keeps, container) == 0;
}

int podman_let_go(struct engine *e, const char *container, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	char name[POD_NAME_MAX], path[sizeof(PODMAN_PREFIX) + POD_NAME_MAX + 32];
	int found;

	if (!container_name_is_valid(container))
		return error_set(err, EINVAL, "'%s' is not a container's name", container);
	found = find_pod(e, container, pod_name(container, name), err);
	if (found <= 0)
		return found;
	snprintf(path, sizeof(path), PODMAN_PREFIX "/pods/%s?force=true", name);
	if (engine_call(e, "DELETE", path, NULL, &reply, err) < 0)
		return -1;
	if (reply.status == 200 || reply.status == 404)
		return 0;
	return reply_error(e, "let go of what is kept for", container, &reply, err);
}

/* Podman would create missing volumes along with the anchor, perhaps without the options that their owner would
 * give. */
static int find_existing(struct engine *e, const char *const *volumes, const char *ret[static VOLUMES_MAX + 1],
			 struct error *err)
{
	char path[sizeof(PODMAN_PREFIX) + 300];
	size_t n = 0;

	for (; *volumes && n < VOLUMES_MAX; volumes++) {
		_cleanup_http_reply_ struct http_reply reply = {};

		/* the same characters as in a container's name */
		if (!container_name_is_valid(*volumes))
			continue;
		snprintf(path, sizeof(path), PODMAN_PREFIX "/volumes/%s/exists", *volumes);
		if (engine_call(e, "GET", path, NULL, &reply, err) < 0)
			return -1;
		if (reply.status == 204)
			ret[n++] = *volumes;
	}
	ret[n] = NULL;
	return 0;
}

int podman_keep(struct engine *e, const char *container, const char *image, const char *const *volumes,
		struct error *err)
{
	const char *existing[VOLUMES_MAX + 1];
	struct error ignored;

	if (find_existing(e, volumes, existing, err) < 0 || podman_let_go(e, container, err) < 0)
		return -1;
	if (post(e, PODMAN_PREFIX "/pods/create", format_pod(container), container, err) < 0)
		return -1;
	if (post(e, PODMAN_PREFIX "/containers/create", format_anchor(container, image, existing), container, err) == 0)
		return 0;
	(void)podman_let_go(e, container, &ignored);
	return -1;
}
