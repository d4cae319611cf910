/* `sockwake adopt`: creates the instances that container labels request. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "backends/engine.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/labels.h"
#include "cli/notes.h"
#include "common/parse.h"
#include "control/adopt.h"
#include "control/note.h"

struct command_line {
	struct adopt_request request;
	const char *engine_socket; /* as given */
	bool backend_given;
};

static int take_backend(void *line, const char *value, const struct option_row *row, struct error *err)
{
	struct command_line *l = line;

	(void)row;
	l->backend_given = true;
	if (backend_kind_from_name(value, &l->request.base.backend) < 0)
		return error_set(err, USAGE_ERROR, "the backend '%s' is neither docker nor podman", value);
	return 0;
}

#define AT(member) .offset = offsetof(struct command_line, member)

static const struct option_row rows[] = {
	{"--all", "of all containers", option_take_flag, AT(request.all)},
	{"--prune", "remove adopted instances whose container is gone, or its labels are", option_take_flag,
	 AT(request.prune)},
	{"--dry-run", "say what would be done and do nothing", option_take_flag, AT(request.dry_run)},
	{"--backend docker|podman", "(default: docker for the system, podman for a user)", .take = take_backend},
	{"--engine-socket PATH", "of the engine's API", option_take_text, AT(engine_socket)},
	{"--scope system|user", "(default: system for root)", arguments_take_scope, AT(request.base.scope)},
	{.help = "Labels of a container, each like the option of 'create' (lists are separated\n"
		 "by commas, schedules by semicolons):\n"
		 "  sockwake.publish, which it must have, sockwake.name,\n"
		 "  sockwake.startup-timeout, sockwake.idle-timeout, sockwake.health-check (no\n"
		 "  shell command), sockwake.idle-action, sockwake.keep-running,\n"
		 "  sockwake.target, sockwake.no-wake-from, sockwake.no-hold-from,\n"
		 "  sockwake.ignore-from, sockwake.hold, sockwake.connection-timeout,\n"
		 "  sockwake.flow-timeout, sockwake.keepalive, sockwake.drain-timeout,\n"
		 "  sockwake.proxy-protocol, sockwake.transparent, sockwake.workers,\n"
		 "  sockwake.no-notifications, sockwake.warm-for, sockwake.schedule,\n"
		 "  sockwake.with, sockwake.with-project"},
	{},
};

static const struct option_table table = {
	.usage = "sockwake adopt [--prune] [--dry-run] CONTAINER | --all",
	.about = "Creates the instances that labels of containers ask for",
	.rows = rows,
	.refuse = arguments_refuse,
	.mixed = true,
};

static int take_name(int n, char *const *plain, struct adopt_request *a, struct error *err)
{
	a->name = n > 0 ? plain[0] : NULL;
	if (n > 1)
		return error_set(err, USAGE_ERROR, "'%s' is one argument too many", plain[1]);
	if (a->name && !container_name_is_valid(a->name))
		return error_set(err, USAGE_ERROR, "'%s' is not the name of a container", a->name);
	if (a->name ? a->all : !a->all && !a->prune)
		return error_set(err, USAGE_ERROR, "give the name of one container, or --all, or --prune");
	return 0;
}

static int parse(int argc, char *argv[], struct command_line *l, struct error *err)
{
	struct adopt_request *a = &l->request;
	char socket[ENGINE_SOCKET_MAX];
	int rest;

	a->base.scope = scope_default();
	if (arguments_read(argc, argv, &table, l, &rest, err) < 0)
		return -1;
	a->backend_assumed = !l->backend_given;
	if (!l->backend_given)
		a->base.backend = backend_kind_default(a->base.scope);
	if (take_name(argc - rest, argv + rest, a, err) < 0 ||
	    engine_find_socket(a->base.backend, a->base.scope, l->engine_socket, socket, err) < 0 ||
	    engine_check_socket(a->base.scope, socket, err) < 0)
		return -1;
	a->base.engine_socket = strdup(socket);
	return a->base.engine_socket ? 0 : error_errno(err, ENOMEM, "cannot read the command line");
}

/* control/ speaks of the options of create. */
static void show(enum note_kind kind, const char *text)
{
	char words[sizeof(((struct error *)0)->text)];

	labels_name_options(text, words, sizeof(words));
	notes_show(kind, words);
}

static int adopt(int argc, char *argv[], struct error *err)
{
	struct command_line line = {.request = {.read_labels = labels_to_request}};
	struct error why;
	int r = parse(argc, argv, &line, err);

	note_set_sink(show);
	if (r == 0 && (r = adopt_requested(&line.request, &why)) < 0) {
		*err = why;
		labels_name_options(why.text, err->text, sizeof(err->text));
	}
	instance_clear(&line.request.base);
	return r;
}

const struct command adopt_command = {"adopt", &table, adopt};
