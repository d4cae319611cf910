#include "activator/options.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/parse.h"
#include "instance/defaults.h"

/* One of two words: false for the first, true for the second. */
static int parse_word(const char *option, const char *value, const char *first, const char *second, bool *ret,
		      struct error *err)
{
	if (strcmp(value, first) != 0 && strcmp(value, second) != 0)
		return error_set(err, 0, "%s is '%s', but must be '%s' or '%s'", option, value, first, second);
	*ret = strcmp(value, second) == 0;
	return 0;
}

static int take_mode(void *mode, const char *value, const struct option_row *row, struct error *err)
{
	(void)value;
	(void)err;
	*(enum mode *)mode = strcmp(row->option, "--wake") == 0	   ? MODE_WAKE
			     : strcmp(row->option, "--sleep") == 0 ? MODE_SLEEP
								   : MODE_FOLLOW;
	return 0;
}

static int take_because(void *because, const char *value, const struct option_row *row, struct error *err)
{
	static const enum event known[] = {EVENT_IDLE, EVENT_FAILED, EVENT_STOP};

	(void)row;
	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
		if (strcmp(value, event_name(known[k])) == 0) {
			*(enum event *)because = known[k];
			return 0;
		}
	}
	return error_set(err, 0, "--because is '%s', but must be 'idle', 'failed' or 'stop'", value);
}

static int take_notify(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct options *o = options;

	(void)row;
	o->mode = MODE_NOTIFY;
	return parse_word("--notify", value, "stopped", "started", &o->started, err);
}

static int take_scope(void *scope, const char *value, const struct option_row *row, struct error *err)
{
	bool user;

	(void)row;
	if (parse_word("--scope", value, "system", "user", &user, err) < 0)
		return -1;
	*(enum scope *)scope = user ? SCOPE_USER : SCOPE_SYSTEM;
	return 0;
}

static int take_backend(void *backend, const char *value, const struct option_row *row, struct error *err)
{
	bool podman;

	(void)row;
	if (parse_word("--backend", value, "docker", "podman", &podman, err) < 0)
		return -1;
	*(enum backend_kind *)backend = podman ? BACKEND_PODMAN : BACKEND_DOCKER;
	return 0;
}

static int take_idle_action(void *pause, const char *value, const struct option_row *row, struct error *err)
{
	(void)row;
	return parse_word("--idle-action", value, "stop", "pause", pause, err);
}

static int take_with(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct options *o = options;

	(void)row;
	if (o->n_dependencies == DEPENDENCIES_MAX)
		return error_set(err, 0, "--with is given more than %d times", DEPENDENCIES_MAX);
	if (!container_name_is_valid(value))
		return error_set(err, 0, "--with must give a container's name");
	o->dependencies[o->n_dependencies++].container = value;
	return 0;
}

/* The dependency of the last --with, to which the next options belong. */
static struct dependency_options *described(struct options *o, struct error *err)
{
	if (o->n_dependencies)
		return &o->dependencies[o->n_dependencies - 1];
	error_set(err, 0, "--with must come before what is told about its container");
	return NULL;
}

static int take_with_unit(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct dependency_options *d = described(options, err);

	return d ? option_take_text(&d->unit, value, row, err) : -1;
}

static int take_with_port(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct dependency_options *d = described(options, err);

	(void)row;
	return d ? parse_port("--with-port", value, &d->port, err) : -1;
}

static int take_with_health_check(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct dependency_options *d = described(options, err);

	return d ? option_take_text(&d->health_check, value, row, err) : -1;
}

static int take_with_keep_running(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct dependency_options *d = described(options, err);

	return d ? option_take_flag(&d->keep_running, value, row, err) : -1;
}

#define AT(member) .offset = offsetof(struct options, member)

static const struct option_row rows[] = {
	{"--wake", "starts the container (default)", take_mode, AT(mode)},
	{"--sleep", "puts it to sleep", take_mode, AT(mode)},
	{"--follow", "watches whether an ended container runs again", take_mode, AT(mode)},
	{"--because idle|failed|stop", "the reason for --sleep", take_because, AT(because)},
	{"--recent SPAN", "how long a restart may take to come", option_take_span, AT(recent)},
	{"--notify started|stopped", "notifies --user", .take = take_notify},
	{"--scope system|user", "(default: by the effective uid)", take_scope, AT(scope)},
	{"--name NAME", "the instance", option_take_text, AT(name)},
	{"--backend docker|podman", "the engine", take_backend, AT(backend)},
	{"--container CONTAINER", "the container", option_take_text, AT(container)},
	{"--engine-socket PATH", "of the engine's API", option_take_text, AT(engine_socket)},
	{"--unit UNIT.service", "the unit that runs the container", option_take_text, AT(unit)},
	{"--idle-action stop|pause", "what sleep does", take_idle_action, AT(idle_pause)},
	{"--keep-running", "leaves it running if it ran before", option_take_flag, AT(keep_running)},
	{"--startup-timeout SPAN", "limit for a waiting client", option_take_span, AT(startup_timeout)},
	{"--healthy", "waits for its HEALTHCHECK", option_take_flag, AT(healthy)},
	{"--with CONTAINER", "a dependency; the options below describe it", .take = take_with},
	{"--with-unit UNIT.service", "the unit that runs it", .take = take_with_unit},
	{"--with-port PORT", "of its health check", .take = take_with_port},
	{"--with-health-check CHECK", "as the proxy takes it, or healthy", .take = take_with_health_check},
	{"--with-keep-running", "as --keep-running", .take = take_with_keep_running},
	{"--user USER", "the user to notify", option_take_text, AT(user)},
	{},
};

const struct option_table activator_option_table = {
	.usage = "activator [OPTION]… [-- NSHELPER [OPTION]… -- PROXY [OPTION]…]",
	.rows = rows,
};

static int check(const struct options *o, struct error *err)
{
	if (!o->name || !instance_name_is_valid(o->name))
		return error_set(err, 0, "--name must give the instance's name");
	if (o->mode == MODE_NOTIFY)
		return o->user && *o->user ? 0 : error_set(err, 0, "--user must name the person to notify");
	if (!o->container || !container_name_is_valid(o->container))
		return error_set(err, 0, "--container must give the container's name");
	if (o->unit && !service_name_is_valid(o->unit))
		return error_set(err, 0, "--unit '%s' is not the name of a service (X.service)", o->unit);
	for (unsigned k = 0; k < o->n_dependencies; k++) {
		if (o->dependencies[k].unit && !service_name_is_valid(o->dependencies[k].unit))
			return error_set(err, 0, "--with-unit '%s' is not the name of a service (X.service)",
					 o->dependencies[k].unit);
	}
	if (o->mode == MODE_WAKE && o->n_dependencies && !o->command[0])
		return error_set(err, 0, "after --with must follow '-- NSHELPER … -- PROXY …'");
	return 0;
}

/* The proxy's option, which shows whether the health check is a command (backends/reach.h). */
static const char *find_health_check(char *const *command)
{
	for (; *command; command++) {
		if (strcmp(*command, "--health-check") == 0)
			return command[1];
	}
	return NULL;
}

enum options_result activator_options_parse(int argc, char **argv, struct options *ret, struct error *err)
{
	struct options o = {
		.scope = scope_default(),
		.startup_timeout = DEFAULT_STARTUP_TIMEOUT,
		.because = EVENT_STOP,
	};
	enum options_result r;
	int rest;

	o.backend = backend_kind_default(o.scope);
	r = option_table_parse(&activator_option_table, argc, argv, &o, &rest, err);
	if (r != OPTIONS_RUN)
		return r;
	o.command = argv + rest;
	o.health_check = find_health_check(o.command);
	if (o.mode != MODE_WAKE && o.command[0])
		return error_set(err, 0, "'%s' is one argument too many", o.command[0]);
	if (check(&o, err) < 0)
		return -1;
	*ret = o;
	return 0;
}
