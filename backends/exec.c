#include "backends/exec.h"

#include <errno.h>
#include <stdio.h>

#include "backends/docker/reply.h"
#include "backends/request.h"

/* The output of a health check is of no use. */
static bool ignore_output(void *data, const char *piece, size_t len)
{
	(void)data;
	(void)piece;
	(void)len;
	return true;
}

static int create(struct engine *e, const struct container *c, char ret[static 65], struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	_cleanup_free_ char *json = docker_format_exec(c->health_test);

	if (!json)
		return error_set(err, EINVAL, "the health check of the container '%s' is of an unknown kind ('%s')",
				 c->name, c->health_test[0]);
	if (container_request(e, "POST", c->id, "exec", json, REQUEST_LIMIT, &reply, err) < 0)
		return -1;
	if (reply.status != 201)
		return reply_error(e, "check the health of", c->name, &reply, err);
	return docker_parse_exec_id(reply.body, reply.len, ret) ? 0 : reply_nonsense(e, err);
}

/* The reply lasts until the process has closed its output. */
static int run(struct engine *e, const struct container *c, const char *id, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	char path[128];
	struct http_request request = {
		.method = "POST",
		.path = path,
		.json = "{\"Detach\":false,\"Tty\":false}",
		.deadline = e->deadline,
		.max_reply = REPLY_MAX,
		.sink = ignore_output,
	};

	snprintf(path, sizeof(path), "%s/exec/%s/start", e->backend->prefix, id);
	if (engine_request(e, &request, &reply, err) < 0)
		return -1;
	return reply.status == 200 ? 0 : reply_error(e, "check the health of", c->name, &reply, err);
}

int exec_health_test(struct engine *e, const struct container *c, enum health *ret, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	char id[65], path[128];
	bool running;
	int exit_code;

	if (create(e, c, id, err) < 0 || run(e, c, id, err) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/exec/%s/json", e->backend->prefix, id);
	if (engine_call(e, "GET", path, NULL, &reply, err) < 0)
		return -1;
	if (reply.status != 200 || !docker_parse_exec_state(reply.body, reply.len, &running, &exit_code))
		return reply_nonsense(e, err);
	*ret = !running && exit_code == 0 ? HEALTH_HEALTHY : HEALTH_STARTING;
	return 0;
}
