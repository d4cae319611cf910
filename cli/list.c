#include <stdio.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "control/note.h"
#include "control/observe.h"
#include "control/schedule.h"
#include "control/unattended.h"
#include "units/paths.h"

enum { NAME, PORTS, CONTAINER, STATE, SINCE, CONNECTIONS, ENGINE, SCHEDULE, REASON, COLUMNS };

/* One row; what has to be formatted is kept in `text`. */
struct row {
	char ports[(PUBLISH_TEXT_MAX + 1) * INSTANCE_PORTS_MAX];
	char since[TEXT_MAX];
	char connections[TEXT_MAX];
	char schedule[256];
};

static void list_ports(const struct instance *i, char *ret, size_t size)
{
	char one[PUBLISH_TEXT_MAX];
	size_t len = 0;

	ret[0] = '\0';
	for (size_t k = 0; k < i->n_ports && len < size; k++) {
		publish_format(&i->ports[k], one);
		len += (size_t)snprintf(ret + len, size - len, "%s%s", k ? "," : "", one);
	}
}

static void fill_row(const struct observation *o, struct row *row, const char **cells)
{
	const struct instance *i = &o->stored->instance;

	list_ports(i, row->ports, sizeof(row->ports));
	text_since(o->since_usec, row->since);
	snprintf(row->connections, sizeof(row->connections), "%llu", (unsigned long long)observation_connections(o));
	cells[NAME] = i->name;
	cells[PORTS] = row->ports;
	cells[CONTAINER] = i->container_name;
	cells[STATE] = observe_state_name(o->state);
	cells[SINCE] = row->since;
	cells[CONNECTIONS] = row->connections;
	cells[ENGINE] = unattended_is(o) ? "running, unattended" : o->container_state;
	schedule_format(i, row->schedule, sizeof(row->schedule));
	cells[SCHEDULE] = row->schedule;
	cells[REASON] = o->reason;
}

static int print_rows(const struct observation *os, size_t n, struct error *err)
{
	static const char *const titles[COLUMNS] = {"NAME",	   "PORTS",  "CONTAINER", "STATE", "SINCE",
						    "CONNECTIONS", "ENGINE", "SCHEDULE",  "REASON"};
	_cleanup_free_ struct row *rows = calloc(n, sizeof(*rows));
	_cleanup_free_ const char **cells = calloc(n + 1, COLUMNS * sizeof(*cells));
	bool used[COLUMNS] = {};

	if (!rows || !cells)
		return error_errno(err, ENOMEM, "cannot print the instances");
	memcpy(cells, titles, sizeof(titles));
	for (size_t k = 0; k < n; k++) {
		fill_row(&os[k], &rows[k], cells + (k + 1) * COLUMNS);
		for (size_t c = 0; c < COLUMNS; c++)
			used[c] |= *cells[(k + 1) * COLUMNS + c] != '\0';
	}
	if (!used[REASON])
		cells[REASON] = NULL;
	if (!used[SCHEDULE])
		cells[SCHEDULE] = NULL;
	text_table(stdout, cells, COLUMNS, n + 1);
	return 0;
}

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

	if (arguments_parse(argc, argv, &table, &a, err) < 0 || unit_directory(a.scope, directory, err) < 0 ||
	    store_scan(directory, &stored, err) < 0 || observe(a.scope, &stored, &os, &trouble, err) < 0)
		return -1;
	if (trouble.text[0])
		note_print("%s", trouble.text);
	if (a.json)
		return print_json(os, stored.n, err);
	if (stored.n == 0) {
		puts("No managed instances.");
		return 0;
	}
	return print_rows(os, stored.n, err);
}

const struct command list_command = {"list", &table, list};
