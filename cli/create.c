#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/engine.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/create_options.h"
#include "control/create.h"
#include "control/preview.h"
#include "instance/dependency.h"
#include "instance/json.h"

static int print_created(const struct create_request *r, enum outcome outcome, struct error *err)
{
	const struct instance *i = &r->instance;
	char spec[PUBLISH_TEXT_MAX], dependency[DEPENDENCY_LINE_MAX];

	if (r->json) {
		_cleanup_free_ char *json = instance_to_json(i);

		if (!json)
			return error_errno(err, ENOMEM, "cannot print the instance");
		puts(json);
		return 0;
	}
	for (size_t k = 0; k < i->n_ports; k++) {
		char *colon;

		publish_format(&i->ports[k], spec);
		colon = strrchr(spec, ':');
		*colon = '\0';
		if (k == 0)
			printf("%s instance '%s': ", outcome == OUTCOME_REPLACED ? "Replaced" : "Created", i->name);
		printf("%sport %s → container %s:%s\n", k ? "             and " : "", spec, i->container_name,
		       colon + 1);
	}
	for (size_t k = 0; k < i->n_dependencies; k++)
		puts(dependency_line(i, k, dependency));
	return 0;
}

static int print_preview(struct create_request *r, struct error *err)
{
	_cleanup_free_ char *text = NULL;

	if (preview_render(r, &text, err) < 0)
		return -1;
	fputs(text, stdout);
	return 0;
}

static int create(int argc, char *argv[], struct error *err)
{
	_cleanup_create_request_ struct create_request r = {};
	enum outcome outcome;

	if (create_options_parse(argc, argv, &r, err) < 0)
		return -1;
	if (engine_check_socket(r.instance.scope, r.instance.engine_socket, err) < 0)
		return -1;
	if (r.dry_run)
		return print_preview(&r, err);
	return create_requested(&r, &outcome, err) < 0 ? -1 : print_created(&r, outcome, err);
}

const struct command create_command = {"create", &create_option_table, create};
