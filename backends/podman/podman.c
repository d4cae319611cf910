/* Podman, through its own ("libpod") API: the Docker-compatible one cannot run health checks on demand. Podman accepts
 * /v4.0.0 from 4.0 on. */
#include "backends/podman/podman.h"
#include "backends/exec.h"
#include "backends/podman/keep.h"
#include "backends/podman/reply.h"
#include "backends/request.h"

#define PREFIX PODMAN_PREFIX

static int list(struct engine *e, struct container_list *ret, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	struct http_request request = {
		.method = "GET",
		.path = PREFIX "/containers/json?all=true",
		.deadline = request_deadline(e, REQUEST_LIMIT),
		.max_reply = LIST_REPLY_MAX,
	};

	container_list_clear(ret);
	if (engine_request(e, &request, &reply, err) < 0)
		return -1;
	if (reply.status != 200 || !podman_parse_list(reply.body, reply.len, ret))
		return reply_nonsense(e, err);
	return 0;
}

static int check_health(struct engine *e, const struct container *c, enum health *ret, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};

	*ret = HEALTH_NONE;
	if (!c->health_test)
		return 0;
	if (container_request(e, "GET", c->id, "healthcheck", NULL, USEC_INFINITY, &reply, err) < 0)
		return -1;
	if (reply.status != 200)
		return reply_error(e, "check the health of", c->name, &reply, err);
	return podman_parse_health(reply.body, reply.len, ret) ? 0 : reply_nonsense(e, err);
}

static int try_health(struct engine *e, const struct container *c, enum health *ret, struct error *err)
{
	*ret = HEALTH_NONE;
	return c->health_test ? exec_health_test(e, c, ret, err) : 0;
}

/* Start, stop and pause answer 500 if the container's state does not allow them; newer versions answer 409. */
static bool is_busy(long status, const char *body, size_t len)
{
	return status == 409 || (status == 500 && podman_is_state_error(body, len));
}

/* Even a terminal's output comes in frames. */
static bool log_is_framed(const struct container *c)
{
	(void)c;
	return true;
}

const struct backend podman_backend = {
	.name = "podman",
	.title = "Podman",
	.inspect = container_inspect,
	.start = container_start,
	.stop = container_stop,
	.pause = container_pause,
	.unpause = container_unpause,
	.check_health = check_health,
	.try_health = try_health,
	.logs = container_logs,
	.list = list,
	.keep = podman_keep,
	.let_go = podman_let_go,
	.has_quadlets = true,
	.creates_by_id = true, /* it takes a name for an image of Docker Hub */
	.monitors_in_units = true,
	.units_await_health = true,
	.unit_retry = 100 * USEC_PER_MSEC, /* its API and the `podman run` of a unit take turns at one database */
	.boot_starter = "podman-restart.service, where it is enabled,",
	.program = "/usr/bin/podman",
	.host_variable = "CONTAINER_HOST",
	.socket_file = "podman/podman.sock",
	.prefix = PREFIX,
	.network_action = "/json",
	.enable = {[SCOPE_SYSTEM] = "systemctl enable --now podman.socket",
		   [SCOPE_USER] = "systemctl --user enable --now podman.socket"},
	.parse_inspect = podman_parse_inspect,
	.is_busy = is_busy,
	.log_is_framed = log_is_framed,
};
