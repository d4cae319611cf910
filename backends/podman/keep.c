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
#include "backends/podman/anchor.h"
#include "backends/podman/podman.h"
#include "backends/reply.h"
#include "backends/request.h"
#include "common/parse.h"
#include "instance/made_container.h"

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
	found = find_pod(e, container, podman_pod_name(container, name), err);
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
	if (post(e, PODMAN_PREFIX "/pods/create", podman_format_pod(container), container, err) < 0)
		return -1;
	if (post(e, PODMAN_PREFIX "/containers/create", podman_format_anchor(container, image, existing), container,
		 err) == 0)
		return 0;
	(void)podman_let_go(e, container, &ignored);
	return -1;
}
