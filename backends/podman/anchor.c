#include "backends/podman/anchor.h"

#include <stdio.h>

#include "backends/json.h"
#include "instance/made_container.h"

#define COMMAND "/never-started/it-keeps-the-image-and-volumes-of-a-sleeping-container"

const char *podman_pod_name(const char *container, char ret[static POD_NAME_MAX])
{
	char name[ANCHOR_NAME_MAX];

	snprintf(ret, POD_NAME_MAX, "%s" ANCHOR_POD_SUFFIX, anchor_name(container, name));
	return ret;
}

static bool add_labels(cJSON *root, const char *container)
{
	cJSON *labels = cJSON_AddObjectToObject(root, "labels");

	return labels && cJSON_AddStringToObject(labels, KEEPS_LABEL, container);
}

char *podman_format_pod(const char *container)
{
	char name[POD_NAME_MAX];
	_cleanup_json_ cJSON *root = cJSON_CreateObject();

	/* without a control group of its own, which Podman would request from systemd */
	if (!add_labels(root, container) || !cJSON_AddStringToObject(root, "name", podman_pod_name(container, name)) ||
	    !cJSON_AddTrueToObject(root, "no_infra") || !cJSON_AddFalseToObject(root, "share_parent"))
		return NULL;
	return cJSON_PrintUnformatted(root);
}

static bool add_command(cJSON *root)
{
	cJSON *array = cJSON_AddArrayToObject(root, "entrypoint");

	return array && cJSON_AddItemToArray(array, cJSON_CreateString(COMMAND));
}

static bool add_network(cJSON *root)
{
	cJSON *network = cJSON_AddObjectToObject(root, "netns");

	return network && cJSON_AddStringToObject(network, "nsmode", "none");
}

/* The mount points do not matter. */
static bool add_volumes(cJSON *root, const char *const *volumes)
{
	cJSON *array = cJSON_AddArrayToObject(root, "volumes");
	char directory[32];

	for (unsigned k = 0; array && volumes[k]; k++) {
		cJSON *one = cJSON_CreateObject();

		snprintf(directory, sizeof(directory), "/keep/%u", k);
		if (!cJSON_AddItemToArray(array, one) || !cJSON_AddStringToObject(one, "Name", volumes[k]) ||
		    !cJSON_AddStringToObject(one, "Dest", directory))
			return false;
	}
	return array != NULL;
}

/* The image's own VOLUMEs would get unnamed volumes. */
char *podman_format_anchor(const char *container, const char *image, const char *const *volumes)
{
	char name[ANCHOR_NAME_MAX], pod[POD_NAME_MAX];
	_cleanup_json_ cJSON *root = cJSON_CreateObject();

	if (!add_command(root) || !add_network(root) || !add_labels(root, container) ||
	    !cJSON_AddStringToObject(root, "name", anchor_name(container, name)) ||
	    !cJSON_AddStringToObject(root, "pod", podman_pod_name(container, pod)) ||
	    !cJSON_AddStringToObject(root, "image", image) ||
	    !cJSON_AddStringToObject(root, "image_volume_mode", "ignore") || !add_volumes(root, volumes))
		return NULL;
	return cJSON_PrintUnformatted(root);
}
