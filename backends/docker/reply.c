#include "backends/docker/reply.h"

#include <string.h>

#include "backends/ports.h"
#include "backends/reply.h"

bool docker_parse_inspect(const char *text, size_t len, struct container *ret)
{
	_cleanup_json_ cJSON *root = json_parse(text, len, INSPECT_VALUES_MAX);

	return reply_inspect(root, ret);
}

static bool parse_port(const cJSON *port, struct container *c)
{
	const char *protocol = json_string(port, "Type");
	int64_t outer = 0, inner = 0;

	if (!protocol || !json_integer(port, "PublicPort", 0, UINT16_MAX, &outer) ||
	    !json_integer(port, "PrivatePort", 1, UINT16_MAX, &inner))
		return false;
	return outer == 0 || /* exposed, not published */
	       reply_add_port(c, json_string(port, "IP"), outer, inner, protocol);
}

static bool parse_item(const cJSON *item, struct container *c)
{
	const cJSON *port;

	if (!reply_id(item, "Id", c) || !reply_labels(item, "Labels", c))
		return false;
	c->state = reply_state(json_string(item, "State"));
	cJSON_ArrayForEach(port, json_member(item, "Ports"))
	{
		if (!parse_port(port, c))
			return false;
	}
	return true;
}

bool docker_parse_list(const char *text, size_t len, struct container_list *ret)
{
	_cleanup_json_ cJSON *root = json_parse(text, len, LIST_VALUES_MAX);

	return reply_list(root, parse_item, ret);
}

bool docker_parse_exec_id(const char *text, size_t len, char ret[static 65])
{
	_cleanup_json_ cJSON *root = json_parse(text, len, INSPECT_VALUES_MAX);
	struct container c = {};

	if (!reply_id(root, "Id", &c))
		return false;
	memcpy(ret, c.id, sizeof(c.id));
	return true;
}

bool docker_parse_exec_state(const char *text, size_t len, bool *ret_running, int *ret_exit_code)
{
	_cleanup_json_ cJSON *root = json_parse(text, len, INSPECT_VALUES_MAX);
	int64_t exit_code = -1;

	*ret_running = true;
	if (!json_member(root, "Running") || !json_bool(root, "Running", ret_running) ||
	    !json_integer(root, "ExitCode", INT32_MIN, INT32_MAX, &exit_code))
		return false;
	*ret_exit_code = (int)exit_code;
	return true;
}

char *docker_format_exec(char *const *health_test)
{
	_cleanup_json_ cJSON *root = cJSON_CreateObject();
	cJSON *cmd = root ? cJSON_AddArrayToObject(root, "Cmd") : NULL;
	char *const *words = health_test + 1;

	if (!cmd || !cJSON_AddTrueToObject(root, "AttachStdout") || !cJSON_AddTrueToObject(root, "AttachStderr"))
		return NULL;
	if (strcmp(health_test[0], "CMD-SHELL") == 0) {
		if (!cJSON_AddItemToArray(cmd, cJSON_CreateString("/bin/sh")) ||
		    !cJSON_AddItemToArray(cmd, cJSON_CreateString("-c")))
			return NULL;
	} else if (strcmp(health_test[0], "CMD") != 0) {
		return NULL;
	}
	for (; *words; words++) {
		if (!cJSON_AddItemToArray(cmd, cJSON_CreateString(*words)))
			return NULL;
	}
	return cJSON_PrintUnformatted(root);
}
