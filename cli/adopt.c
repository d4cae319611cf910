#include <errno.h>
#include <string.h>

#include "backends/engine.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/labels.h"
#include "common/parse.h"
#include "control/adopt.h"

enum { OPTION_ALL = 256, OPTION_PRUNE, OPTION_DRY_RUN, OPTION_SCOPE, OPTION_BACKEND, OPTION_ENGINE_SOCKET };

static int take_option(int option, struct adopt_request *a, const char **engine_socket, bool *backend_given,
		       struct error *err)
{
	switch (option) {
	case OPTION_ALL:
		a->all = true;
		return 0;
	case OPTION_PRUNE:
		a->prune = true;
		return 0;
	case OPTION_DRY_RUN:
		a->dry_run = true;
		return 0;
	case OPTION_SCOPE:
		if (scope_from_name(optarg, &a->base.scope) < 0)
			return error_set(err, USAGE_ERROR, "the scope '%s' is neither system nor user", optarg);
		return 0;
	case OPTION_BACKEND:
		*backend_given = true;
		if (backend_kind_from_name(optarg, &a->base.backend) < 0)
			return error_set(err, USAGE_ERROR, "the backend '%s' is neither docker nor podman", optarg);
		return 0;
	default:
		*engine_socket = optarg;
		return 0;
	}
}

static int take_name(int argc, char *argv[], struct adopt_request *a, struct error *err)
{
	if (optind < argc)
		a->name = argv[optind++];
	if (optind < argc)
		return error_set(err, USAGE_ERROR, "'%s' is one argument too many", argv[optind]);
	if (a->name && !container_name_is_valid(a->name))
		return error_set(err, USAGE_ERROR, "'%s' is not the name of a container", a->name);
	if (a->name ? a->all : !a->all && !a->prune)
		return error_set(err, USAGE_ERROR, "give the name of one container, or --all, or --prune");
	return 0;
}

static int parse(int argc, char *argv[], struct adopt_request *a, struct error *err)
{
	static const struct option options[] = {{"all", no_argument, NULL, OPTION_ALL},
						{"prune", no_argument, NULL, OPTION_PRUNE},
						{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
						{"scope", required_argument, NULL, OPTION_SCOPE},
						{"backend", required_argument, NULL, OPTION_BACKEND},
						{"engine-socket", required_argument, NULL, OPTION_ENGINE_SOCKET},
						{}};
	const char *engine_socket = NULL;
	char socket[ENGINE_SOCKET_MAX];
	bool backend_given = false;
	int option, ignored;

	a->base.scope = scope_default();
	optind = 0; /* glibc: start anew */
	while ((option = arguments_next(argc, argv, ":", options, &ignored, err)) > 0) {
		if (take_option(option, a, &engine_socket, &backend_given, err) < 0)
			return -1;
	}
	if (option < 0)
		return -1;
	if (!backend_given)
		a->base.backend = a->base.scope == SCOPE_SYSTEM ? BACKEND_DOCKER : BACKEND_PODMAN;
	if (take_name(argc, argv, a, err) < 0 ||
	    engine_find_socket(a->base.backend, a->base.scope, engine_socket, socket, err) < 0 ||
	    engine_check_socket(a->base.scope, socket, err) < 0)
		return -1;
	a->base.engine_socket = strdup(socket);
	return a->base.engine_socket ? 0 : error_errno(err, ENOMEM, "cannot read the command line");
}

static int adopt(int argc, char *argv[], struct error *err)
{
	struct adopt_request what = {.read_labels = labels_to_request};
	int r = parse(argc, argv, &what, err);

	if (r == 0)
		r = adopt_requested(&what, err);
	instance_clear(&what.base);
	return r;
}

const struct command adopt_command = {
	"adopt",
	"[--prune] [--dry-run] CONTAINER | --all",
	"Creates the instances that labels of containers ask for",
	"  --all                  of all containers\n"
	"  --prune                remove adopted instances whose container is gone, or its labels are\n"
	"  --dry-run              say what would be done and do nothing\n"
	"  --backend docker|podman (default: docker for the system, podman for a user)\n"
	"  --engine-socket PATH   of the engine's API\n"
	"  --scope system|user    (default: system for root)\n"
	"Labels of a container, each like the option of 'create' (lists are separated by commas, schedules by semicolons):\n"
	"  sockwake.publish, which it must have, sockwake.name, sockwake.startup-timeout, sockwake.idle-timeout,\n"
	"  sockwake.health-check (no shell command), sockwake.idle-action, sockwake.keep-running, sockwake.target,\n"
	"  sockwake.no-wake-from, sockwake.no-hold-from, sockwake.ignore-from, sockwake.hold,\n"
	"  sockwake.connection-timeout, sockwake.flow-timeout, sockwake.keepalive,\n"
	"  sockwake.drain-timeout, sockwake.proxy-protocol, sockwake.transparent, sockwake.workers,\n"
	"  sockwake.no-notifications, sockwake.warm-for, sockwake.schedule, sockwake.with, sockwake.with-project\n",
	adopt,
};
