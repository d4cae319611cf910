#include "backends/origin.h"

#include <string.h>
#include <time.h>

#include "backends/ports.h"
#include "common/clock.h"

bool reply_time(const char *text, int64_t *ret)
{
	struct tm tm = {};
	const char *p = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int64_t fraction = 0, scale = USEC_PER_SEC, offset;

	if (!p)
		return false;
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++) { /* smaller fractions are cut off */
			scale /= 10;
			fraction += (*p - '0') * scale;
		}
	}
	p = strptime(p, "%z", &tm); /* accepts "Z", too */
	if (!p || *p)
		return false;
	offset = tm.tm_gmtoff;
	*ret = ((int64_t)timegm(&tm) - offset) * (int64_t)USEC_PER_SEC + fraction;
	return true;
}

bool reply_pod(const cJSON *object, struct container *ret)
{
	return json_copy_string(object, "Pod", ret->pod, sizeof(ret->pod)) &&
	       json_copy_string(object, "PodName", ret->pod_name, sizeof(ret->pod_name)) &&
	       json_bool(object, "IsInfra", &ret->is_infra);
}

bool reply_image_id(const cJSON *object, const char *key, char ret[static IMAGE_ID_MAX])
{
	const char *digits;

	if (!json_copy_string(object, key, ret, IMAGE_ID_MAX))
		return false;
	digits = strncmp(ret, "sha256:", 7) == 0 ? ret + 7 : ret;
	return !*ret || (strlen(digits) == 64 && strspn(digits, "0123456789abcdef") == 64);
}

/* Docker has no pods. Podman before 5 lists exposed ports only together with those of the network: in a pod these are
 * the pod's, and without a network there are none. */
bool reply_origin(const cJSON *root, struct container *ret)
{
	uint16_t *port = &ret->exposed_port;

	return (!json_member(root, "Created") || reply_time(json_string(root, "Created"), &ret->created)) &&
	       reply_pod(root, ret) && reply_image_id(root, "Image", ret->image) &&
	       reply_exposed_ports(json_member(root, "Config"), "ExposedPorts", port) &&
	       (ret->pod[0] || reply_exposed_ports(json_member(root, "NetworkSettings"), "Ports", port));
}
