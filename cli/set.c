#include <stddef.h>
#include <stdio.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/set_options.h"
#include "control/set.h"

static const struct option_table table = {
	.usage = "sockwake set [OPTIONS] NAME... | --all",
	.about = "Changes the options that are named, and keeps all the rest; connections go on",
	.rows = create_line_rows,
	.refuse = arguments_refuse,
	.sets = CREATE_LINE_SETS,
	.mixed = true,
};

/* A value that is no good is wrong usage, as it is for create. */
static int change(const void *data, struct create_request *r, struct error *err)
{
	if (set_options_apply(data, r, err) == 0)
		return 0;
	err->code = USAGE_ERROR;
	return -1;
}

static int take_names(struct create_line *line, int n, char **plain, char **only, char ***ret, struct error *err)
{
	only[0] = line->name;
	*ret = n > 0 ? plain : line->name ? only : NULL;
	if (line->name && n > 0)
		return error_set(err, USAGE_ERROR, "give the names of instances either with --name or without");
	if (!*ret == !line->all)
		return error_set(err, USAGE_ERROR, "give the names of instances, or --all");
	for (char **name = *ret; name && *name; name++) {
		if (arguments_check_name(*name, err) < 0)
			return -1;
	}
	if (!set_options_are_given(line))
		return error_set(err, USAGE_ERROR,
				 "say what to change, as in 'sockwake set %s --idle-timeout 5min': 'sockwake help set' "
				 "shows the options",
				 *ret ? (*ret)[0] : "--all");
	if (line->request.instance.n_ports && (line->all || (*ret && (*ret)[1])))
		return error_set(err, USAGE_ERROR, "--publish changes one instance at a time");
	return 0;
}

static int set_parsed(int argc, char *argv[], struct create_line *line, struct error *err)
{
	char *only[2] = {}, **names;
	int rest;

	line->request.instance.scope = scope_default();
	if (arguments_read(argc, argv, &table, line, &rest, err) < 0 ||
	    take_names(line, argc - rest, argv + rest, only, &names, err) < 0) {
		err->code = USAGE_ERROR;
		return -1;
	}
	return set_instances(line->request.instance.scope, names, change, line, err);
}

static int set(int argc, char *argv[], struct error *err)
{
	struct create_line line = {};
	int r = set_parsed(argc, argv, &line, err);

	create_request_clear(&line.request);
	create_line_clear(&line);
	return r;
}

const struct command set_command = {"set", &table, set};
