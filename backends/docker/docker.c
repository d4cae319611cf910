/* Docker Engine. Paths carry no version: every engine accepts that and then uses its newest API. Only members are read
 * that have had the same meaning since 20.10 (API 1.41). */
#include <string.h>

#include "backends/docker/reply.h"
#include "backends/exec.h"
#include "backends/request.h"

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

static int check_health(struct engine *e, const struct container *c, enum health *ret, struct error *err)
{
	*ret = HEALTH_NONE;
	return c->health_test ? exec_health_test(e, c, ret, err) : 0;
}

/* 409 since 1.13 in the paths that the API documents; older paths of the daemon answer 500 with these words. */
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
	.name = "docker",
	.title = "Docker",
	.inspect = container_inspect,
	.start = container_start,
	.stop = container_stop,
	.pause = container_pause,
	.unpause = container_unpause,
	.check_health = check_health,
	.try_health = check_health,
	.logs = container_logs,
	.list = list,
	.units_pass_signals = true,
	.unit_retry = 10 * USEC_PER_MSEC,
	.boot_starter = "Docker",
	.starts_what_ended = true,
	.socket_group = "docker",
	.program = "/usr/bin/docker",
	.host_variable = "DOCKER_HOST",
	.socket_file = "docker.sock",
	.prefix = "",
	.network_action = "",
	.enable = {[SCOPE_SYSTEM] = "systemctl enable --now docker",
		   [SCOPE_USER] = "systemctl --user enable --now docker"},
	.parse_inspect = docker_parse_inspect,
	.is_busy = is_busy,
	.log_is_framed = log_is_framed,
};
