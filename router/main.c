/* router: answers on /run/docker.sock and brings each caller to an engine of the caller's own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "handover/listen.h"
#include "router/dispatcher.h"
#include "router/identity.h"
#include "router/options.h"
#include "router/policy.h"
#include "router/settings.h"
#include "router/system.h"

#define FIRST_FD    LISTEN_FDS_START /* the only listening socket, or the channel of a worker */
#define STATUS_NAME "status"	     /* FileDescriptorName= of sockwake-router-status.socket */

/* systemd passes its sockets in any order. */
static int serve(const struct router_options *o, struct error *err)
{
	int status = listen_fd_named(STATUS_NAME);
	const struct dispatcher_options dispatcher = {
		.router = o,
		.status_fd = status,
	};

	return dispatcher_run(status == FIRST_FD ? FIRST_FD + 1 : FIRST_FD, &dispatcher, err);
}

/* Its output is for `sockwake router`: the containers that may use the system's engine, or what is wrong. */
static int check(const struct router_options *o)
{
	static struct config config;
	struct error err;

	if (settings_check(o, &config, &err) < 0) {
		puts(err.text);
		return EXIT_FAILURE;
	}
	for (size_t k = 0; k < config.containers.n; k++)
		printf("%s%s", k > 0 ? ", " : "", config.containers.names[k]);
	puts(config.all_containers ? "all" : "");
	return EXIT_SUCCESS;
}

/* A worker's user must not trace it, or take its descriptors: with its channel the user could speak to the dispatcher. That
 * nobody but root can read our executable has made it so from the beginning, where the program is installed. */
static int run(const struct router_options *o, struct error *err)
{
	if (!o->worker)
		return serve(o, err);
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (strcmp(o->worker, "identity") == 0)
		return identity_run(FIRST_FD, o, err);
	if (strcmp(o->worker, "policy") == 0)
		return policy_run(FIRST_FD, o, err);
	return system_run(FIRST_FD, o, err);
}

int main(int argc, char **argv)
{
	struct router_options options;
	struct error err = {};

	(void)prctl(PR_SET_NAME, "router");
	(void)log_begin("router");
	(void)signal(SIGPIPE, SIG_IGN);
	switch (router_options_parse(argc, argv, &options, &err)) {
	case OPTIONS_DONE:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		log_line(LOG_ERR, "%s", err.text);
		return 2;
	case OPTIONS_RUN:
		break;
	}
	if (options.check)
		return check(&options);
	if (error_settle(run(&options, &err), &err) < 0) {
		log_line(LOG_ERR, "%s", err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
