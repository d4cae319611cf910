#include "proxy/await.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "dial/outside.h"
#include "handover/channel.h"
#include "handover/environment.h"
#include "readiness/readiness.h"

/* The activator reads it (activator/await.c). */
static void tell(const char *awaited, const char *hint)
{
	log_line(LOG_INFO, AWAIT_TELLS "%s%s%s", awaited, hint[0] ? "; " : "", hint);
}

int await_server(const struct proxy_options *options, struct error *err)
{
	_cleanup_free_ struct target *targets = NULL;
	_cleanup_(outside_clear) struct outside outside = {};
	struct readiness r = options->readiness;
	uint64_t deadline;
	size_t n;
	int pidfd;

	if (environment_deadline(options->relay.startup_timeout, &deadline, err) < 0 ||
	    environment_take_fd(VARIABLE_PIDFD, &pidfd, err) < 0 ||
	    outside_open(&outside, options->relay.n_targets > 0, err) < 0 ||
	    targets_resolve(options->relay.targets, deadline, pidfd, &targets, &n, err) < 0 ||
	    outside_arrange(&outside, options->relay.n_targets > 0, targets, &n, err) < 0)
		return -1;
	r.outside = &outside;
	r.tell = tell;
	return readiness_wait(&r, SOCK_STREAM, options->await_port, targets, n, deadline, pidfd, err);
}
