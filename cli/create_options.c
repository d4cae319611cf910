/* The command line of `sockwake create`. */
#include "cli/create_options.h"

#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/engine.h"
#include "cli/arguments.h"
#include "common/cleanup.h"
#include "common/parse.h"
#include "control/create_request.h"
#include "control/dependencies.h"
#include "control/health_word.h"
#include "instance/defaults.h"
#include "instance/health_check.h"
#include "instance/validate.h"
#include "readiness/probe.h"
#include "units/query.h"

/* The options that are combined once the whole command line is read. */
struct command_line {
	struct create_request request; /* the finished parts */
	char *name, *engine_socket, *backend, *idle_action, *workers, *listen_port, *container_port;
	bool no_notifications;
};

static void command_line_clear(struct command_line *line)
{
	char **texts[] = {&line->name,	  &line->engine_socket, &line->backend,	      &line->idle_action,
			  &line->workers, &line->listen_port,	&line->container_port};

	for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++)
		free_ptr(texts[k]);
}

static int replace(char **text, const char *value, struct error *err)
{
	char *copy = strdup(value);

	if (!copy)
		return error_errno(err, ENOMEM, "cannot read the command line");
	free(*text);
	*text = copy;
	return 0;
}

static int append(char ***list, const char *value, struct error *err)
{
	size_t n = 0;
	char **more;

	while (*list && (*list)[n])
		n++;
	if (n >= INSTANCE_LIST_MAX)
		return error_set(err, 0, "'%s' is more than the %d values that one option takes", value,
				 INSTANCE_LIST_MAX);
	more = reallocarray(*list, n + 2, sizeof(*more));
	if (!more)
		return error_errno(err, ENOMEM, "cannot read the command line");
	*list = more;
	more[n] = strdup(value);
	more[n + 1] = NULL;
	return more[n] ? 0 : error_errno(err, ENOMEM, "cannot read the command line");
}

static int take_text(void *text, const char *value, const struct option_row *row, struct error *err)
{
	(void)row;
	return replace(text, value, err);
}

static int take_list(void *list, const char *value, const struct option_row *row, struct error *err)
{
	(void)row;
	return append(list, value, err);
}

static int take_publish(void *instance, const char *value, const struct option_row *row, struct error *err)
{
	struct instance *i = instance;
	size_t n;

	(void)row;
	if (publish_parse_range(value, &i->ports[i->n_ports], INSTANCE_PORTS_MAX - i->n_ports, &n, err) < 0)
		return err->code == E2BIG ? error_context(err, "an instance has at most %d ports", INSTANCE_PORTS_MAX)
					  : -1;
	i->n_ports += n;
	return 0;
}

#define AT(member)	    .offset = offsetof(struct command_line, member)
#define ON_LINE(member)	    AT(member)
#define IN_REQUEST(member)  AT(request.member)
#define IN_INSTANCE(member) AT(request.instance.member)

static const struct option_row rows[] = {
	{.help = "What to wake, and where to listen:"},
	{"--name NAME", "of the instance and its units (or as a plain argument)", take_text, ON_LINE(name)},
	{"--container-name CONTAINER", "an existing container (default: NAME)", take_text, IN_INSTANCE(container_name)},
	{"--listen-port PORT", "on all addresses", take_text, ON_LINE(listen_port)},
	{"--container-port PORT", "where the server in the container listens", take_text, ON_LINE(container_port)},
	{"-p, --publish [ADDR:]PORT:CPORT[/tcp|/udp]",
	 "the same in one; repeatable; ranges as in docker run -p; /PATH:CPORT is a Unix socket", take_publish,
	 AT(request.instance)},
	{"--target ADDR|unix:/PATH", "where in the container; repeatable (default: any of its own addresses)",
	 take_list, IN_INSTANCE(targets)},
	{"--unit UNIT.service", "the unit that runs the container, when one does (also found by itself)", take_text,
	 IN_INSTANCE(unit)},
	{"--no-boot", "keep a Quadlet from being started at boot, by a drop-in", option_take_flag,
	 IN_INSTANCE(no_boot)},
	{"--drop-publish", "keep a Quadlet from publishing these ports itself, by a drop-in", option_take_flag,
	 IN_INSTANCE(drop_publish)},
	{"--with CONTAINER[:PORT[:HEALTH-CHECK]]",
	 "wake that one first, and put it to sleep last; repeatable, in order", take_list, IN_REQUEST(dependencies)},
	{"--with-project", "the same for what it needs of its compose project or pod", option_take_flag,
	 IN_REQUEST(with_project)},
	{"--backend docker|podman", "(default: docker for the system, podman for a user)", take_text, ON_LINE(backend)},
	{"--engine-socket PATH", "of the engine's API", take_text, ON_LINE(engine_socket)},
	{"--scope system|user", "(default: system for root)", arguments_take_scope, IN_INSTANCE(scope)},
	{.help = "Making the container first:"},
	{"--image IMAGE", "of this machine; what comes after -- is the command, else the image's own", take_text,
	 IN_REQUEST(to_make.image)},
	{"-e, --env NAME[=VALUE]", "a variable of it (without a value: yours); repeatable", take_list,
	 IN_REQUEST(to_make.environment)},
	{"-v, --volume SOURCE:DIR[:OPTIONS]",
	 "a directory or a named volume in it; repeatable; the image's own volumes get names", take_list,
	 IN_REQUEST(to_make.volumes)},
	{"--network NETWORK", "none, host, or a network of the engine's (default: the engine's own)", take_text,
	 IN_REQUEST(to_make.network)},
	{.help = "When:"},
	{"--startup-timeout SPAN", "for how long clients wait for a wake (default: 30s); it may go on", take_text,
	 IN_INSTANCE(startup_timeout)},
	{"--idle-timeout SPAN", "without a connection until sleep (default: 15min)", take_text,
	 IN_INSTANCE(idle_timeout)},
	{"--warm-for SPAN", "the same once a second client came, where it is longer (default: no longer)", take_text,
	 IN_INSTANCE(warm_for)},
	{"--schedule '[DAYS] HH:MM-HH:MM'", "keeps it warm at these times, as in 'Mon..Fri 08:00-18:00'; repeatable",
	 take_list, IN_INSTANCE(schedule)},
	{"--health-check CHECK",
	 HEALTH_CHECK_WORDS ", none, or a shell command" OPTION_NEXT_LINE
			    "with {container_port} (default: by the port, or the name of the socket; else listen)",
	 take_text, IN_INSTANCE(health_check)},
	{"--idle-action stop|pause", "how to sleep (default: stop)", take_text, ON_LINE(idle_action)},
	{"--keep-running", "leave a container running that ran before", option_take_flag, IN_INSTANCE(keep_running)},
	{"--ignore-from CIDR", "these clients neither wake it nor keep it awake: monitors; repeatable", take_list,
	 IN_INSTANCE(ignore_from)},
	{"--no-wake-from CIDR", "these clients do not wake it, but keep it awake; repeatable", take_list,
	 IN_INSTANCE(no_wake_from)},
	{"--no-hold-from CIDR", "these clients do not keep it awake, but wake it; repeatable", take_list,
	 IN_INSTANCE(no_hold_from)},
	{"--hold connections|data", "what keeps it awake: any connection, or one that has sent something", take_text,
	 IN_INSTANCE(hold)},
	{"--connection-timeout SPAN", "close connections that are quiet for so long", take_text,
	 IN_INSTANCE(connection_timeout)},
	{"--flow-timeout SPAN", "after the last datagram answers are passed on for so long (default: 60s)", take_text,
	 IN_INSTANCE(flow_timeout)},
	{"--keepalive SPAN", "probe quiet connections for dead peers after so long", take_text, IN_INSTANCE(keepalive)},
	{"--drain-timeout SPAN", "for open connections when it is stopped", take_text, IN_INSTANCE(drain_timeout)},
	{.help = "How:"},
	{"--proxy-protocol v1|v2", "tell the server who the client is", take_text, IN_INSTANCE(proxy_protocol)},
	{"--transparent", "let the server see the client's own address", option_take_flag, IN_INSTANCE(transparent)},
	{"--workers N", "threads that forward", take_text, ON_LINE(workers)},
	{"--socket-mode MODE", "of Unix sockets (default: 0660)", take_text, IN_INSTANCE(socket_mode)},
	{"--socket-group GROUP", "of Unix sockets (default: the manager's own)", take_text, IN_INSTANCE(socket_group)},
	{"--user USERNAME", "whom to notify on the desktop (default: $SUDO_USER or $USER)", take_text,
	 IN_INSTANCE(user)},
	{"--no-notifications", "nobody", option_take_flag, ON_LINE(no_notifications)},
	{"--no-selinux", "leave SELinux port labels alone", option_take_flag, IN_INSTANCE(no_selinux)},
	{"--force", "replace the instance of that name", option_take_flag, IN_REQUEST(force)},
	{"--dry-run", "print the units and do nothing else", option_take_flag, IN_REQUEST(dry_run)},
	{"--json", "for programs", option_take_flag, IN_REQUEST(json)},
	{},
};

const struct option_table create_option_table = {
	.usage =
		"sockwake create [OPTIONS] NAME -p [ADDR:]PORT:CPORT… | --name NAME --listen-port PORT --container-port "
		"PORT --container-name C",
	.about = "Makes a container wake on the first connection to a port, and sleep when it is idle",
	.rows = rows,
	.refuse = arguments_refuse,
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
	return replace(&r->instance.name, text, err);
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

static int read_options(int argc, char *argv[], struct command_line *line, struct error *err)
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
	if (arguments_name(argc - rest, argv + rest, &name, err) < 0)
		return -1;
	return name && name != line->name ? replace(&line->name, name, err) : 0;
}

static int read_words(const struct command_line *line, struct create_request *r, struct error *err)
{
	struct instance *i = &r->instance;
	uint64_t n;

	i->backend = backend_kind_default(i->scope);
	r->backend_assumed = !line->backend;
	if (line->backend && backend_kind_from_name(line->backend, &i->backend) < 0)
		return error_set(err, 0, "the backend '%s' is neither docker nor podman", line->backend);
	if (line->idle_action && idle_action_from_name(line->idle_action, &i->idle_action) < 0)
		return error_set(err, 0, "the idle action '%s' is neither stop nor pause", line->idle_action);
	if (line->workers && parse_u64("the number of workers", line->workers, 1, 64, &n, err) < 0)
		return -1;
	i->workers = line->workers ? (unsigned)n : 0;
	return 0;
}

/* --listen-port and --container-port are the first port, at any position. */
static int complete_ports(struct create_request *r, const struct command_line *line, struct error *err)
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
	static const char suffix[] = ".container";
	size_t len = strlen(*unit), end = sizeof(suffix) - 1;
	char text[UNIT_REASON_MAX];

	if (len <= end || len > sizeof(text) - end || strcmp(*unit + len - end, suffix) != 0)
		return 0;
	snprintf(text, sizeof(text), "%.*s.service", (int)(len - end), *unit);
	return replace(unit, text, err);
}

/* If only one of instance and container has a name, the other gets the same. With only a unit the instance is X-wake,
 * since X.service is taken, and the container has its name from Quadlet. */
static int complete_names(struct create_request *r, const struct command_line *line, struct error *err)
{
	struct instance *i = &r->instance;
	char text[512];

	r->name_assumed = !line->name;
	if (i->unit && accept_quadlet(&i->unit, err) < 0)
		return -1;
	if (i->unit && !service_name_is_valid(i->unit))
		return error_set(err, 0, "the unit '%.200s' is not the name of a service: NAME.service", i->unit);
	if (i->unit) {
		int stem = (int)strlen(i->unit) - 8;

		snprintf(text, sizeof(text), "%.*s", stem, i->unit);
		if (!line->name && derive_name(r, text, "-wake", err) < 0)
			return -1;
		r->container_assumed = !i->container_name;
		snprintf(text, sizeof(text), "systemd-%.*s", stem, i->unit);
		if (!i->container_name && replace(&i->container_name, text, err) < 0)
			return -1;
	}
	if (line->name && replace(&i->name, line->name, err) < 0)
		return -1;
	if (!i->name && !i->container_name)
		return error_set(err, 0, "the name is missing: sockwake create NAME …");
	if (!i->name)
		return derive_name(r, i->container_name, "", err);
	return i->container_name ? 0 : replace(&i->container_name, i->name, err);
}

/* The user whom the original tool notified: the caller of sudo, else the caller; a user manager cannot change
 * users. */
static const char *default_user(enum scope scope)
{
	const struct passwd *self = getpwuid(geteuid());
	const char *sudo = getenv("SUDO_USER");

	if (scope == SCOPE_USER)
		return self ? self->pw_name : NULL;
	return sudo ? sudo : getenv("USER");
}

/* No notifications for root: root has no desktop. */
static int complete_user(struct instance *i, bool wanted, struct error *err)
{
	const char *name = i->user ? i->user : default_user(i->scope);
	const struct passwd *pw = name ? getpwnam(name) : NULL;

	if (i->user && !pw)
		return error_set(err, 0, "there is no user '%s' to notify", i->user);
	if (i->user && i->scope == SCOPE_USER && pw->pw_uid != geteuid())
		return error_set(err, 0, "one user's instance cannot notify another, '%s': only root's can", i->user);
	i->notifications = wanted && pw && pw->pw_uid != 0;
	if (i->notifications)
		return replace(&i->user, pw->pw_name, err);
	free(i->user);
	i->user = NULL;
	return 0;
}

static int complete(struct create_request *r, const struct command_line *line, struct error *err)
{
	struct instance *i = &r->instance;
	char socket[ENGINE_SOCKET_MAX];

	/* Store the current values: the service will run without this environment. */
	if (read_words(line, r, err) < 0 ||
	    engine_find_socket(i->backend, i->scope, line->engine_socket, socket, err) < 0 ||
	    replace(&i->engine_socket, socket, err) < 0 || complete_names(r, line, err) < 0 ||
	    complete_ports(r, line, err) < 0 || complete_user(i, !line->no_notifications, err) < 0)
		return -1;
	r->check_assumed = !i->health_check;
	if ((!i->startup_timeout && replace(&i->startup_timeout, DEFAULT_STARTUP_TIMEOUT_TEXT, err) < 0) ||
	    (!i->idle_timeout && replace(&i->idle_timeout, DEFAULT_IDLE_TIMEOUT_TEXT, err) < 0) ||
	    (!i->health_check && i->n_ports &&
	     replace(&i->health_check, health_check_default(&i->ports[0], i->targets), err) < 0))
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
		if (replace(p, text, err) < 0)
			return -1;
	}
	return 0;
}

static int complete_order(struct create_request *r, char *const *command, struct error *err)
{
	struct made_container *o = &r->to_make;

	if (!o->image && (o->environment || o->volumes || o->network))
		return error_set(err, 0,
				 "--env, --volume and --network are for a container to be made: --image is missing");
	if (!o->image)
		return 0;
	if (r->instance.unit || strcmp(r->instance.container_name, r->instance.name) != 0)
		return error_set(err, 0,
				 "a container made from --image is called like the instance, '%s': leave out "
				 "--container-name and --unit",
				 r->instance.name);
	for (; *command; command++) {
		if (append(&o->command, *command, err) < 0)
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
	_cleanup_(command_line_clear) struct command_line line = {};
	int own = find_command(argc, argv), r = read_options(own, argv, &line, err);
	char *const *command = own < argc ? argv + own + 1 : argv + argc;

	*ret = line.request;
	if (r == 0 && complete(ret, &line, err) == 0 && complete_order(ret, command, err) == 0)
		return 0;
	err->code = USAGE_ERROR;
	return -1;
}
