/* The command line of `sockwake create`. */
#include "cli/create_options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "backends/engine.h"
#include "cli/arguments.h"
#include "cli/create_line.h"
#include "common/cleanup.h"
#include "common/parse.h"
#include "control/create_request.h"
#include "control/dependencies.h"
#include "control/health_word.h"
#include "instance/defaults.h"
#include "instance/health_check.h"
#include "instance/validate.h"
#include "readiness/probe.h"
#include "units/paths.h"
#include "units/query.h"

const struct option_table create_option_table = {
	.usage =
		"sockwake create [OPTIONS] NAME -p [ADDR:]PORT:CPORT… | --name NAME --listen-port PORT --container-port "
		"PORT --container-name C",
	.about = "Makes a container wake on the first connection to a port, and sleep when it is idle",
	.rows = create_line_rows,
	.refuse = arguments_refuse,
	.sets = CREATE_LINE_CREATES,
	.mixed = true,
};

/* Containers and units may have names that no instance can have: "shop.web" becomes "shop-web". */
static int derive_name(struct create_request *r, const char *from, const char *suffix, struct error *err)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	char text[512];
	int len = (int)(240 - strlen(suffix));

	snprintf(text, sizeof(text), "%.*s%s", len, from, suffix);
	for (char *p = text; *(p += strspn(p, plain));)
		*p = '-';
	return create_line_replace(&r->instance.name, text, err);
}

/* As a container's name it is valid. */
static int check_name(const char *name, struct error *err)
{
	_cleanup_create_request_ struct create_request other = {};

	if (instance_name_is_valid(name) || !container_name_is_valid(name) || derive_name(&other, name, "", err) < 0)
		return 0;
	return error_set(err, 0,
			 "the name '%s' is not 1 to 240 of the characters A-Z a-z 0-9 _ -: use 'sockwake create %s "
			 "--container-name %s' and your other options",
			 name, other.instance.name, name);
}

static int read_options(int argc, char *argv[], struct create_line *line, struct error *err)
{
	const char *name;
	int rest;

	line->request.instance.scope = scope_default();
	if (arguments_read(argc, argv, &create_option_table, line, &rest, err) < 0)
		return -1;
	name = line->name ? line->name : rest < argc ? argv[rest] : NULL;
	if (name && !line->request.instance.container_name && check_name(name, err) < 0)
		return -1;
	name = line->name;
	if (line->request.to_make.image && argc - rest > 1)
		return error_set(err, USAGE_ERROR,
				 "'%s' is one argument too many: the command of the container comes after '--'",
				 argv[rest + 1]);
	if (arguments_name(argc - rest, argv + rest, &name, err) < 0)
		return -1;
	return name && name != line->name ? create_line_replace(&line->name, name, err) : 0;
}

static int read_backend(const struct create_line *line, struct create_request *r, struct error *err)
{
	struct instance *i = &r->instance;

	i->backend = backend_kind_default(i->scope);
	r->backend_assumed = !line->backend;
	if (line->backend && backend_kind_from_name(line->backend, &i->backend) < 0)
		return error_set(err, 0, "the backend '%s' is neither docker nor podman", line->backend);
	return 0;
}

/* --listen-port and --container-port are the first port, at any position. */
static int complete_ports(struct create_request *r, const struct create_line *line, struct error *err)
{
	struct publish p = {.type = SOCK_STREAM};
	struct instance *i = &r->instance;

	if (!line->listen_port && !line->container_port)
		return 0;
	if (!line->listen_port || !line->container_port)
		return error_set(err, 0, "--listen-port and --container-port belong together");
	if (parse_port("the listening port", line->listen_port, &p.port, err) < 0 ||
	    parse_port("the container port", line->container_port, &p.container_port, err) < 0)
		return -1;
	if (i->n_ports == INSTANCE_PORTS_MAX)
		return error_set(err, 0, "an instance has at most %d ports", INSTANCE_PORTS_MAX);
	memmove(i->ports + 1, i->ports, i->n_ports++ * sizeof(*i->ports));
	i->ports[0] = p;
	r->original_ports = true;
	return 0;
}

/* The name of a Quadlet's file stands for its unit. */
static int accept_quadlet(char **unit, struct error *err)
{
	static const char *const suffixes[] = {".container", ".kube"};
	size_t len = strlen(*unit);
	char text[UNIT_REASON_MAX];

	for (size_t k = 0; k < sizeof(suffixes) / sizeof(*suffixes); k++) {
		size_t end = strlen(suffixes[k]);

		if (len <= end || len > sizeof(text) - sizeof(SERVICE_SUFFIX) ||
		    strcmp(*unit + len - end, suffixes[k]) != 0)
			continue;
		snprintf(text, sizeof(text), "%.*s" SERVICE_SUFFIX, (int)(len - end), *unit);
		return create_line_replace(unit, text, err);
	}
	return 0;
}

/* What else may be meant: the name without its suffix, or a pod's file, which names no container. */
static int refuse_unit(const char *unit, struct error *err)
{
	const char *dot = strrchr(unit, '.');

	if (dot && strcmp(dot, ".pod") == 0)
		return error_set(err, 0,
				 "'%.200s' is a pod, with several containers: name the unit of the one that clients "
				 "connect to, the name of its .container file",
				 unit);
	if (!dot && instance_name_is_valid(unit))
		return error_set(err, 0,
				 "the unit '%.200s' is not the name of a service (NAME" SERVICE_SUFFIX
				 "): did you mean '%.200s" SERVICE_SUFFIX "'?",
				 unit, unit);
	return error_set(err, 0,
			 "the unit '%.200s' is not the name of a service (NAME" SERVICE_SUFFIX
			 "), nor of a Quadlet's file (NAME.container, NAME.kube)",
			 unit);
}

/* If only one of instance and container has a name, the other gets the same. With only a unit the instance is X-wake,
 * since X.service is taken, and the container has its name from Quadlet. */
static int complete_names(struct create_request *r, const struct create_line *line, struct error *err)
{
	struct instance *i = &r->instance;
	char text[512];

	r->name_assumed = !line->name;
	if (i->unit && accept_quadlet(&i->unit, err) < 0)
		return -1;
	if (i->unit && !service_name_is_valid(i->unit))
		return refuse_unit(i->unit, err);
	if (i->unit) {
		int stem = (int)strlen(i->unit) - 8;

		snprintf(text, sizeof(text), "%.*s", stem, i->unit);
		if (!line->name && derive_name(r, text, "-wake", err) < 0)
			return -1;
		r->container_assumed = !i->container_name;
		snprintf(text, sizeof(text), "systemd-%.*s", stem, i->unit);
		if (!i->container_name && create_line_replace(&i->container_name, text, err) < 0)
			return -1;
	}
	if (line->name && create_line_replace(&i->name, line->name, err) < 0)
		return -1;
	if (!i->name && !i->container_name)
		return error_set(err, 0, "the name is missing: sockwake create NAME …");
	if (!i->name)
		return derive_name(r, i->container_name, "", err);
	return i->container_name ? 0 : create_line_replace(&i->container_name, i->name, err);
}

static int complete(struct create_request *r, const struct create_line *line, struct error *err)
{
	struct instance *i = &r->instance;
	char socket[ENGINE_SOCKET_MAX];

	/* Store the current values: the service will run without this environment. */
	if (read_backend(line, r, err) < 0 || create_line_read_words(line, i, err) < 0 ||
	    engine_find_socket(i->backend, i->scope, line->engine_socket, socket, err) < 0 ||
	    create_line_replace(&i->engine_socket, socket, err) < 0 || complete_names(r, line, err) < 0 ||
	    complete_ports(r, line, err) < 0 || create_line_find_user(i, !line->no_notifications, err) < 0)
		return -1;
	r->check_assumed = !i->health_check;
	if ((!i->startup_timeout && create_line_replace(&i->startup_timeout, DEFAULT_STARTUP_TIMEOUT_TEXT, err) < 0) ||
	    (!i->idle_timeout && create_line_replace(&i->idle_timeout, DEFAULT_IDLE_TIMEOUT_TEXT, err) < 0) ||
	    (!i->health_check && i->n_ports &&
	     create_line_replace(&i->health_check, health_check_default(&i->ports[0], i->targets), err) < 0))
		return -1;
	i->outside_source = true;
	i->stop_timeout = DEFAULT_STOP_TIMEOUT;
	return dependencies_parse(r, err) < 0 || instance_validate(i, err) < 0 ? -1 : health_word_check(i, err);
}

/* A variable without a value gets the caller's value, as in docker run -e. */
static int complete_environment(struct made_container *o, struct error *err)
{
	char text[INSTANCE_TEXT_MAX];

	for (char **p = o->environment; p && *p; p++) {
		const char *value = strchr(*p, '=') ? NULL : getenv(*p);

		if (strchr(*p, '='))
			continue;
		if (!value)
			return error_set(err, 0, "the variable '%s' has no value here: use --env %s=VALUE", *p, *p);
		if (snprintf(text, sizeof(text), "%s=%s", *p, value) >= (int)sizeof(text))
			return error_set(err, 0, "the value of '%s' is too long to be taken from here", *p);
		if (create_line_replace(p, text, err) < 0)
			return -1;
	}
	return 0;
}

static int complete_order(struct create_request *r, char *const *command, struct error *err)
{
	struct made_container *o = &r->to_make;

	if (!o->image && (o->environment || o->volumes || o->network || r->drop_volumes))
		return error_set(
			err, 0,
			"--env, --volume, --drop-volumes and --network are for a container to be made: --image "
			"is missing");
	if (!o->image)
		return 0;
	if (r->instance.unit || strcmp(r->instance.container_name, r->instance.name) != 0)
		return error_set(err, 0,
				 "a container made from --image is called like the instance, '%s': leave out "
				 "--container-name and --unit",
				 r->instance.name);
	for (; *command; command++) {
		if (create_line_append(&o->command, *command, err) < 0)
			return -1;
	}
	return complete_environment(o, err) < 0 ? -1 : made_container_validate(o, err);
}

/* With --image, the arguments after "--" are the container's command. Returns the number of arguments before. */
static int find_command(int argc, char *argv[])
{
	bool image = false;

	for (int k = 1; k < argc; k++) {
		if (strcmp(argv[k], "--") == 0)
			return image ? k : argc;
		image |= strcmp(argv[k], "--image") == 0 || strncmp(argv[k], "--image=", 8) == 0;
	}
	return argc;
}

int create_options_parse(int argc, char *argv[], struct create_request *ret, struct error *err)
{
	_cleanup_(create_line_clear) struct create_line line = {};
	int own = find_command(argc, argv), r = read_options(own, argv, &line, err);
	char *const *command = own < argc ? argv + own + 1 : argv + argc;

	*ret = line.request;
	if (r == 0 && complete(ret, &line, err) == 0 && complete_order(ret, command, err) == 0)
		return 0;
	err->code = USAGE_ERROR;
	return -1;
}
