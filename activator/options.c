#include "activator/options.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/parse.h"

enum option_id {
	OPT_WAKE,
	OPT_SLEEP,
	OPT_FOLLOW,
	OPT_BECAUSE,
	OPT_RECENT,
	OPT_NOTIFY,
	OPT_SCOPE,
	OPT_NAME,
	OPT_BACKEND,
	OPT_CONTAINER,
	OPT_ENGINE_SOCKET,
	OPT_UNIT,
	OPT_IDLE_ACTION,
	OPT_KEEP_RUNNING,
	OPT_STARTUP_TIMEOUT,
	OPT_HEALTHY,
	OPT_WITH,
	OPT_WITH_UNIT,
	OPT_WITH_PORT,
	OPT_WITH_HEALTH_CHECK,
	OPT_WITH_KEEP_RUNNING,
	OPT_USER,
};

static const struct option long_options[] = {
	{"wake", no_argument, NULL, OPT_WAKE},
	{"sleep", no_argument, NULL, OPT_SLEEP},
	{"follow", no_argument, NULL, OPT_FOLLOW},
	{"because", required_argument, NULL, OPT_BECAUSE},
	{"recent", required_argument, NULL, OPT_RECENT},
	{"notify", required_argument, NULL, OPT_NOTIFY},
	{"scope", required_argument, NULL, OPT_SCOPE},
	{"name", required_argument, NULL, OPT_NAME},
	{"backend", required_argument, NULL, OPT_BACKEND},
	{"container", required_argument, NULL, OPT_CONTAINER},
	{"engine-socket", required_argument, NULL, OPT_ENGINE_SOCKET},
	{"unit", required_argument, NULL, OPT_UNIT},
	{"idle-action", required_argument, NULL, OPT_IDLE_ACTION},
	{"keep-running", no_argument, NULL, OPT_KEEP_RUNNING},
	{"startup-timeout", required_argument, NULL, OPT_STARTUP_TIMEOUT},
	{"healthy", no_argument, NULL, OPT_HEALTHY},
	{"with", required_argument, NULL, OPT_WITH},
	{"with-unit", required_argument, NULL, OPT_WITH_UNIT},
	{"with-port", required_argument, NULL, OPT_WITH_PORT},
	{"with-health-check", required_argument, NULL, OPT_WITH_HEALTH_CHECK},
	{"with-keep-running", no_argument, NULL, OPT_WITH_KEEP_RUNNING},
	{"user", required_argument, NULL, OPT_USER},
	{},
};

/* One of two words: false for the first, true for the second. */
static int parse_word(const char *option, const char *value, const char *first, const char *second, bool *ret,
		      struct error *err)
{
	if (strcmp(value, first) != 0 && strcmp(value, second) != 0)
		return error_set(err, 0, "%s is '%s', but must be '%s' or '%s'", option, value, first, second);
	*ret = strcmp(value, second) == 0;
	return 0;
}

static int parse_because(const char *value, enum event *ret, struct error *err)
{
	static const enum event known[] = {EVENT_IDLE, EVENT_FAILED, EVENT_STOP};

	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
		if (strcmp(value, event_name(known[k])) == 0) {
			*ret = known[k];
			return 0;
		}
	}
	return error_set(err, 0, "--because is '%s', but must be 'idle', 'failed' or 'stop'", value);
}

static int add_dependency_arguments(struct options *o, const char *container, struct error *err)
{
	if (o->n_dependencies == DEPENDENCIES_MAX)
		return error_set(err, 0, "--with is given more than %d times", DEPENDENCIES_MAX);
	if (!container_name_is_valid(container))
		return error_set(err, 0, "--with must give a container's name");
	o->dependencies[o->n_dependencies++].container = container;
	return 0;
}

/* What is told about the container of the last --with. */
static int describe_dependencies(struct options *o, int option, const char *value, struct error *err)
{
	struct dependency_options *w = o->n_dependencies ? &o->dependencies[o->n_dependencies - 1] : NULL;

	if (!w)
		return error_set(err, 0, "--with must come before what is told about its container");
	switch (option) {
	case OPT_WITH_UNIT:
		w->unit = value;
		return 0;
	case OPT_WITH_PORT:
		return parse_port("--with-port", value, &w->port, err);
	case OPT_WITH_HEALTH_CHECK:
		w->health_check = value;
		return 0;
	default:
		w->keep_running = true;
		return 0;
	}
}

static int take(struct options *o, int option, const char *value, struct error *err)
{
	bool second;

	switch (option) {
	case OPT_WAKE:
		o->mode = MODE_WAKE;
		return 0;
	case OPT_SLEEP:
		o->mode = MODE_SLEEP;
		return 0;
	case OPT_FOLLOW:
		o->mode = MODE_FOLLOW;
		return 0;
	case OPT_BECAUSE:
		return parse_because(value, &o->because, err);
	case OPT_RECENT:
		return parse_duration("--recent", value, &o->recent, err);
	case OPT_NOTIFY:
		o->mode = MODE_NOTIFY;
		return parse_word("--notify", value, "stopped", "started", &o->started, err);
	case OPT_SCOPE:
		if (parse_word("--scope", value, "system", "user", &second, err) < 0)
			return -1;
		o->scope = second ? SCOPE_USER : SCOPE_SYSTEM;
		return 0;
	case OPT_NAME:
		o->name = value;
		return 0;
	case OPT_BACKEND:
		if (parse_word("--backend", value, "docker", "podman", &second, err) < 0)
			return -1;
		o->backend = second ? BACKEND_PODMAN : BACKEND_DOCKER;
		return 0;
	case OPT_CONTAINER:
		o->container = value;
		return 0;
	case OPT_ENGINE_SOCKET:
		o->engine_socket = value;
		return 0;
	case OPT_UNIT:
		o->unit = value;
		return 0;
	case OPT_IDLE_ACTION:
		return parse_word("--idle-action", value, "stop", "pause", &o->idle_pause, err);
	case OPT_KEEP_RUNNING:
		o->keep_running = true;
		return 0;
	case OPT_STARTUP_TIMEOUT:
		return parse_duration("--startup-timeout", value, &o->startup_timeout, err);
	case OPT_HEALTHY:
		o->healthy = true;
		return 0;
	case OPT_WITH:
		return add_dependency_arguments(o, value, err);
	case OPT_WITH_UNIT:
	case OPT_WITH_PORT:
	case OPT_WITH_HEALTH_CHECK:
	case OPT_WITH_KEEP_RUNNING:
		return describe_dependencies(o, option, value, err);
	case OPT_USER:
		o->user = value;
		return 0;
	default:
		return error_set(err, 0, "an option is unknown or lacks its value: see docs/architecture.md");
	}
}

/* A unit's name as in systemd.unit(5), with the one suffix that runs a container. */
static bool unit_name_is_valid(const char *s)
{
	static const char suffix[] = ".service";
	size_t len = strlen(s), end = sizeof(suffix) - 1;

	return len > end && len < 256 && strcmp(s + len - end, suffix) == 0 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@") == len;
}

static int check(const struct options *o, struct error *err)
{
	if (!o->name || !instance_name_is_valid(o->name))
		return error_set(err, 0, "--name must give the instance's name");
	if (o->mode == MODE_NOTIFY)
		return o->user && *o->user ? 0 : error_set(err, 0, "--user must name the person to notify");
	if (!o->container || !container_name_is_valid(o->container))
		return error_set(err, 0, "--container must give the container's name");
	if (o->unit && !unit_name_is_valid(o->unit))
		return error_set(err, 0, "--unit '%s' is not the name of a service (X.service)", o->unit);
	for (unsigned k = 0; k < o->n_dependencies; k++) {
		if (o->dependencies[k].unit && !unit_name_is_valid(o->dependencies[k].unit))
			return error_set(err, 0, "--with-unit '%s' is not the name of a service (X.service)",
					 o->dependencies[k].unit);
	}
	if (o->mode == MODE_WAKE && o->n_dependencies && !o->command[0])
		return error_set(err, 0, "after --with must follow '-- NSHELPER … -- PROXY …'");
	return 0;
}

/* The proxy's option, by which it is known whether the health check is a command (backends/reach.h). */
static const char *find_health_check(char *const *command)
{
	for (; *command; command++) {
		if (strcmp(*command, "--health-check") == 0)
			return command[1];
	}
	return NULL;
}

int options_parse(int argc, char **argv, struct options *ret, struct error *err)
{
	struct options o = {
		.scope = geteuid() == 0 ? SCOPE_SYSTEM : SCOPE_USER,
		.startup_timeout = 30 * USEC_PER_SEC,
		.because = EVENT_STOP,
	};
	int option;

	o.backend = o.scope == SCOPE_SYSTEM ? BACKEND_DOCKER : BACKEND_PODMAN;
	optind = 0; /* from the start, also when a test parses twice (getopt(3)) */
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+", long_options, NULL)) != -1) {
		if (take(&o, option, optarg, err) < 0)
			return -1;
	}
	o.command = argv + optind;
	o.health_check = find_health_check(o.command);
	if (o.mode != MODE_WAKE && o.command[0])
		return error_set(err, 0, "'%s' is one argument too many", o.command[0]);
	if (check(&o, err) < 0)
		return -1;
	*ret = o;
	return 0;
}
