#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/overview.h"
#include "common/clock.h"
#include "control/note.h"
#include "control/observation_json.h"
#include "control/unfinished.h"
#include "control/warning.h"
#include "units/paths.h"

/* For all of them together. */
#define CONFLICTS_LIMIT (500 * USEC_PER_MSEC)

static int print_json(const struct observation *os, size_t n, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	cJSON *array = cJSON_CreateArray();

	for (size_t k = 0; k < n; k++)
		cJSON_AddItemToArray(array, observation_to_json(&os[k]));
	text = cJSON_Print(array);
	cJSON_Delete(array);
	if (!text)
		return error_errno(err, ENOMEM, "cannot print the instances");
	puts(text);
	return 0;
}

static const struct option_table table = {
	.usage = "sockwake list [--json] [--scope system|user]",
	.about = "Lists the instances: what they do now, since when, who is connected",
	ARGUMENTS(TAKES_JSON),
};

static int list(int argc, char *argv[], struct error *err)
{
	_cleanup_stored_list_ struct stored_list stored = {};
	_cleanup_free_ struct observation *os = NULL;
	char directory[PATH_MAX];
	struct error trouble;
	struct arguments a;
	struct terminal t;

	if (arguments_parse(argc, argv, &table, &a, err) < 0 || unit_directory(a.scope, directory, err) < 0 ||
	    store_scan(directory, &stored, err) < 0 ||
	    observe(a.scope, &stored, a.json ? OBSERVE_PATIENCE : OBSERVE_SHORT_PATIENCE, &os, &trouble, err) < 0)
		return -1;
	if (trouble.text[0])
		note_print("%s", trouble.text);
	unfinished_note_removals(a.scope, directory);
	if (a.json)
		return print_json(os, stored.n, err);
	if (stored.n == 0) {
		puts("No managed instances.");
		note_print(
			"'sockwake create NAME -p PORT:CPORT' makes an instance for the container NAME, whose server "
			"listens on CPORT: clients connect to PORT");
		return 0;
	}
	warning_find_conflicts(os, stored.n, CONFLICTS_LIMIT);
	t = terminal_look(STDOUT_FILENO);
	return overview_print(stdout, os, stored.n, &t, wall_usec(), err);
}

const struct command list_command = {"list", &table, list};
