/* Docker Engine. Paths carry no version: every engine accepts that and then speaks its newest, of which only members
 * are read that have meant the same since 20.10 (API 1.41). */
#include <stdio.h>
#include <string.h>

#include "backends/docker/reply.h"
#include "backends/request.h"

/* What a health check prints is not wanted. */
static bool ignore_output(void *data, const char *piece, size_t len)
{
	(void)data;
	(void)piece;
	(void)len;
	return true;
}

static int list(struct engine *e, struct container_list *ret, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	struct http_request request = {
		.method = "GET",
		.path = "/containers/json?all=true",
		.deadline = request_deadline(e, REQUEST_LIMIT),
		.max_reply = LIST_REPLY_MAX,
	};

	container_list_clear(ret);
	if (engine_request(e, &request, &reply, err) < 0)
		return -1;
	if (reply.status != 200 || !docker_parse_list(reply.body, reply.len, ret))
		return reply_nonsense(e, err);
	return 0;
}

/* Creates the process that a health check is (ContainerExec). */
static int create_exec(struct engine *e, const struct container *c, char ret[static 65], struct error *err)
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

/* Runs it and waits for its end (ExecStart): the reply lasts as long as the process has its output open. */
static int run_exec(struct engine *e, const struct container *c, const char *id, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	char path[96];
	struct http_request request = {
		.method = "POST",
		.path = path,
		.json = "{\"Detach\":false,\"Tty\":false}",
		.deadline = request_deadline(e, REQUEST_LIMIT),
		.max_reply = REPLY_MAX,
		.sink = ignore_output,
	};

	snprintf(path, sizeof(path), "/exec/%s/start", id);
	if (engine_request(e, &request, &reply, err) < 0)
		return -1;
	return reply.status == 200 ? 0 : reply_error(e, "check the health of", c->name, &reply, err);
}

static int check_health(struct engine *e, const struct container *c, enum health *ret, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	char id[65], path[96];
	struct http_request request = {.method = "GET", .path = path, .max_reply = REPLY_MAX};
	bool running;
	int exit_code;

	*ret = HEALTH_NONE;
	if (!c->health_test)
		return 0;
	if (create_exec(e, c, id, err) < 0 || run_exec(e, c, id, err) < 0)
		return -1;
	snprintf(path, sizeof(path), "/exec/%s/json", id);
	request.deadline = request_deadline(e, REQUEST_LIMIT);
	if (engine_request(e, &request, &reply, err) < 0)
		return -1;
	if (reply.status != 200 || !docker_parse_exec_state(reply.body, reply.len, &running, &exit_code))
		return reply_nonsense(e, err);
	*ret = !running && exit_code == 0 ? HEALTH_HEALTHY : HEALTH_STARTING;
	return 0;
}

/* 409 since 1.13 where the API says so; older paths of the daemon answer 500 with these words. */
static bool is_busy(long status, const char *body, size_t len)
{
	(void)len;
	return status == 409 || (status == 500 && (strstr(body, "is not paused") || strstr(body, "is already paused")));
}

static bool log_is_framed(const struct container *c)
{
	return !c->tty;
}

const struct backend docker_backend = {
	.kind = BACKEND_DOCKER,
	.name = "docker",
	.title = "Docker",
	.inspect = container_inspect,
	.start = container_start,
	.stop = container_stop,
	.pause = container_pause,
	.unpause = container_unpause,
	.check_health = check_health,
	.logs = container_logs,
	.list = list,
	.prefix = "",
	.enable = {[SCOPE_SYSTEM] = "systemctl enable --now docker",
		   [SCOPE_USER] = "systemctl --user enable --now docker"},
	.parse_inspect = docker_parse_inspect,
	.is_busy = is_busy,
	.log_is_framed = log_is_framed,
};
