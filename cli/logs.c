#include <errno.h>
#include <stdio.h>

#include "backends/backend.h"
#include "backends/engine.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "control/find.h"
#include "control/note.h"
#include "control/unit_log.h"
#include "units/log_command.h"

struct streams {
	struct text_filter out, err;
};

/* Writes to the stream that the container used. The container's output must not control the administrator's terminal,
 * neither now nor when a file with it is displayed. */
static bool write_text(void *data, int stream, const char *text, size_t len)
{
	struct streams *s = data;
	bool is_err = stream == STDERR_FILENO;
	FILE *f = is_err ? stderr : stdout;

	return text_filter(is_err ? &s->err : &s->out, f, text, len) && fflush(f) == 0;
}

/* The container of a unit exists only while it runs. */
static int show_journal(const struct instance *i, const struct log_options *options, struct streams *streams,
			struct error *err)
{
	char log[LOG_COMMAND_MAX];

	note_print("the container '%s' exists only while its unit runs: this is the unit's journal, as of '%s'",
		   i->container_name, log_command(i->scope, i->unit, i->backend, i->container_name, log));
	return unit_log_show(i, options, write_text, streams, err);
}

static const struct option_table table = {
	.usage = "sockwake logs [-f] [-n LINES] [--scope system|user] NAME | --name NAME",
	.about = "Shows what the container of an instance wrote",
	ARGUMENTS(NEEDS_NAME | TAKES_LOGS),
};

static int logs(int argc, char *argv[], struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_stored_ struct stored stored = {};
	char directory[PATH_MAX];
	struct log_options options;
	struct streams streams = {};
	struct arguments a;
	int r;

	if (arguments_parse(argc, argv, &table, &a, err) < 0 ||
	    find_instance(a.scope, a.name, directory, &stored, err) < 0)
		return -1;
	if (stored.problem)
		return error_set(err, EINVAL, "the configuration of '%s' cannot be read: %s", a.name, stored.problem);
	if (engine_open(stored.instance.backend, a.scope, stored.instance.engine_socket, &engine, err) < 0)
		return -1;
	options = (struct log_options){.follow = a.follow, .tail = a.lines};
	r = engine->backend->logs(engine, stored.instance.container_name, &options, write_text, &streams, err);
	if (r < 0 && stored.instance.unit && error_forgive(err, ENOENT))
		r = show_journal(&stored.instance, &options, &streams, err);
	(void)text_filter_end(&streams.out, stdout);
	(void)text_filter_end(&streams.err, stderr);
	return r;
}

const struct command logs_command = {"logs", &table, logs};
