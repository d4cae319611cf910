#include "control/router.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/router_sheet.h"
#include "common/nearest.h"

struct router_arguments {
	bool json;
};

static const struct option_row rows[] = {
	{"--json", "for programs; with status", option_take_flag, .offset = offsetof(struct router_arguments, json)},
	{},
};

static const struct option_table table = {
	.usage = "sockwake router enable | disable | status [--json]",
	.about = "Gives /run/docker.sock to the router, which brings each user to an engine of their own",
	.rows = rows,
	.refuse = arguments_refuse,
	.mixed = true,
};

static int print_json(const struct router_view *v, struct error *err)
{
	cJSON *object = router_view_to_json(v);
	_cleanup_free_ char *text = object ? cJSON_Print(object) : NULL;

	cJSON_Delete(object);
	if (!text)
		return error_set(err, ENOMEM, "cannot print the status: out of memory");
	puts(text);
	return 0;
}

static int status(const struct router_arguments *a, struct error *err)
{
	_cleanup_router_view_ struct router_view view = {};
	struct terminal t;

	if (router_view_look(&view, err) < 0)
		return -1;
	if (a->json)
		return print_json(&view, err);
	t = terminal_look(STDOUT_FILENO);
	return router_sheet_print(&view, &t, err);
}

static int enable(const struct router_arguments *a, struct error *err)
{
	(void)a;
	return router_enable(err);
}

static int disable(const struct router_arguments *a, struct error *err)
{
	(void)a;
	return router_disable(err);
}

static const struct {
	const char *name;
	int (*run)(const struct router_arguments *a, struct error *err);
} actions[] = {{"enable", enable}, {"disable", disable}, {"status", status}};
#define N_ACTIONS (sizeof(actions) / sizeof(*actions))

static int no_action(const char *word, struct error *err)
{
	const char *names[N_ACTIONS], *meant;

	for (size_t k = 0; k < N_ACTIONS; k++)
		names[k] = actions[k].name;
	meant = nearest(word, names, N_ACTIONS);
	if (meant)
		return error_set(err, USAGE_ERROR,
				 "'%s' is nothing that the router can do: did you mean 'sockwake router %s'?", word,
				 meant);
	return error_set(err, USAGE_ERROR, "'%s' is nothing that the router can do: it is enable, disable or status",
			 word);
}

static int route(int argc, char *argv[], struct error *err)
{
	struct router_arguments a = {};
	int rest;

	if (arguments_read(argc, argv, &table, &a, &rest, err) < 0)
		return -1;
	if (rest == argc)
		return error_set(err, USAGE_ERROR,
				 "what of the router? enable, disable or status: 'sockwake router status'");
	if (argc - rest > 1)
		return error_set(err, USAGE_ERROR, "'%s' is one argument too many", argv[rest + 1]);
	for (size_t k = 0; k < N_ACTIONS; k++) {
		if (strcmp(actions[k].name, argv[rest]) != 0)
			continue;
		if (a.json && actions[k].run != status)
			return error_set(err, USAGE_ERROR, "--json is for 'sockwake router status' alone");
		return actions[k].run(&a, err);
	}
	return no_action(argv[rest], err);
}

const struct command router_command = {"router", &table, route};
