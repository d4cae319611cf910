#include "proxy/await.h"

#include "common/cleanup.h"
#include "proxy/environment.h"
#include "proxy/outside.h"
#include "proxy/readiness.h"

int await_server(const struct config *config, struct error *err)
{
	_cleanup_free_ struct target *targets = NULL;
	_cleanup_(outside_clear) struct outside outside = {};
	struct readiness r = config->readiness;
	uint64_t deadline;
	size_t n;
	int pidfd;

	if (environment_deadline(config->startup_timeout, &deadline, err) < 0 ||
	    environment_fd("SOCKWAKE_PIDFD", &pidfd, err) < 0 ||
	    outside_open(&outside, config->n_targets > 0, err) < 0 ||
	    targets_resolve(config->targets, deadline, pidfd, &targets, &n, err) < 0 ||
	    outside_arrange(&outside, config->n_targets > 0, targets, &n, err) < 0)
		return -1;
	r.outside = &outside;
	return readiness_wait(&r, SOCK_STREAM, config->await_port, targets, n, deadline, pidfd, err);
}
