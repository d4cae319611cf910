#include "backends/podman/reply.h"

#include <string.h>

#include "backends/origin.h"
#include "backends/ports.h"
#include "backends/reply.h"
#include "instance/made_container.h"

bool podman_parse_inspect(const char *text, size_t len, struct container *ret)
{
	_cleanup_json_ cJSON *root = json_parse(text, len, INSPECT_VALUES_MAX);

	return reply_inspect(root, ret);
}

/* {"host_ip": "", "container_port": 80, "host_port": 8080, "range": 1, "protocol": "tcp"}; the protocol may be a
 * comma-separated list. */
static bool parse_port(const cJSON *port, struct container *c)
{
	const char *protocol = json_string(port, "protocol");
	int64_t outer = 0, inner = 0, range = 1;

	if (!protocol || !json_integer(port, "host_port", 0, UINT16_MAX, &outer) ||
	    !json_integer(port, "container_port", 1, UINT16_MAX, &inner) ||
	    !json_integer(port, "range", 0, UINT16_MAX, &range))
		return false;
	for (int64_t i = 0; i < (range ? range : 1); i++) {
		if (strstr(protocol, "tcp") &&
		    !reply_add_port(c, json_string(port, "host_ip"), outer + i, inner + i, "tcp"))
			return false;
		if (strstr(protocol, "udp") &&
		    !reply_add_port(c, json_string(port, "host_ip"), outer + i, inner + i, "udp"))
			return false;
	}
	return true;
}

static bool parse_item(const cJSON *item, struct container *c)
{
	const cJSON *port;

	if (!reply_id(item, "Id", c) || !reply_labels(item, "Labels", c) || !reply_pod(item, c))
		return false;
	c->state = reply_state(json_string(item, "State"));
	cJSON_ArrayForEach(port, json_member(item, "Ports"))
	{
		if (!parse_port(port, c))
			return false;
	}
	return true;
}

/* Anchors have the labels of their images: they would look like a project's containers, or ask to be adopted. */
static void remove_anchors(struct container_list *l)
{
	size_t n = 0;

	for (size_t k = 0; k < l->n; k++) {
		if (container_label(&l->items[k], KEEPS_LABEL))
			container_clear(&l->items[k]);
		else
			l->items[n++] = l->items[k];
	}
	l->n = n;
}

bool podman_parse_list(const char *text, size_t len, struct container_list *ret)
{
	_cleanup_json_ cJSON *root = json_parse(text, len, LIST_VALUES_MAX);

	if (!reply_list(root, parse_item, ret))
		return false;
	remove_anchors(ret);
	return true;
}

bool podman_parse_health(const char *text, size_t len, enum health *ret)
{
	_cleanup_json_ cJSON *root = json_parse(text, len, INSPECT_VALUES_MAX);
	const cJSON *log = json_member(root, "Log");
	int count = cJSON_IsArray(log) ? cJSON_GetArraySize(log) : 0;
	const char *status = json_string(root, "Status");
	int64_t exit_code = -1;

	if (!status)
		return false;
	*ret = reply_health(status);
	if (count == 0)
		return true;
	if (!json_integer(cJSON_GetArrayItem(log, count - 1), "ExitCode", INT32_MIN, INT32_MAX, &exit_code))
		return false;
	if (exit_code == 0)
		*ret = HEALTH_HEALTHY;
	else if (*ret == HEALTH_HEALTHY) /* the status of an earlier check: the retries are not used up */
		*ret = HEALTH_STARTING;
	return true;
}

bool podman_is_state_error(const char *text, size_t len)
{
	_cleanup_json_ cJSON *root = json_parse(text, len, INSPECT_VALUES_MAX);
	const char *cause = json_string(root, "cause");

	return cause && strcmp(cause, "container state improper") == 0;
}
