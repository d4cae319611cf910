/* The rows of create and set, and how they are taken. */
#include "cli/create_line.h"

#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "common/cleanup.h"
#include "common/parse.h"
#include "instance/health_check.h"

void create_line_clear(struct create_line *line)
{
	char **texts[] = {&line->name,	  &line->engine_socket, &line->backend,	      &line->idle_action,
			  &line->workers, &line->listen_port,	&line->container_port};

	for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++)
		free_ptr(texts[k]);
	for (char **p = line->unset; p && *p; p++)
		free(*p);
	free_ptr(&line->unset);
}

int create_line_replace(char **text, const char *value, struct error *err)
{
	char *copy = strdup(value);

	if (!copy)
		return error_errno(err, ENOMEM, "cannot read the command line");
	free(*text);
	*text = copy;
	return 0;
}

int create_line_append(char ***list, const char *value, struct error *err)
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

int create_line_take_text(void *text, const char *value, const struct option_row *row, struct error *err)
{
	(void)row;
	return create_line_replace(text, value, err);
}

int create_line_take_list(void *list, const char *value, const struct option_row *row, struct error *err)
{
	(void)row;
	return create_line_append(list, value, err);
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

#define AT(member)	    .offset = offsetof(struct create_line, member)
#define ON_LINE(member)	    AT(member)
#define IN_REQUEST(member)  AT(request.member)
#define IN_INSTANCE(member) AT(request.instance.member)

const struct option_row create_line_rows[] = {
	{.help = "What to wake, and where to listen:"},
	{"--name NAME", "of the instance and its units (or as a plain argument)", create_line_take_text, ON_LINE(name)},
	{"--container-name CONTAINER", "an existing container (default: NAME)", create_line_take_text,
	 IN_INSTANCE(container_name), CREATE_LINE_CREATES},
	{"-p, --publish [ADDR:]PORT:CPORT[/tcp|/udp]",
	 "clients connect to PORT, and the server in the container listens on CPORT, as in" OPTION_NEXT_LINE
	 "docker run -p; repeatable; /PATH:CPORT is a Unix socket",
	 take_publish, AT(request.instance)},
	{"--listen-port PORT", "with --container-port CPORT: the same as -p PORT:CPORT", create_line_take_text,
	 ON_LINE(listen_port), CREATE_LINE_CREATES},
	{"--container-port CPORT", "where the server in the container listens", create_line_take_text,
	 ON_LINE(container_port), CREATE_LINE_CREATES},
	{"--target ADDR|unix:/PATH", "where in the container; repeatable (default: any of its own addresses)",
	 create_line_take_list, IN_INSTANCE(targets)},
	{"--unit UNIT.service", "the unit that runs the container, when one does (also found by itself)",
	 create_line_take_text, IN_INSTANCE(unit), CREATE_LINE_CREATES},
	{"--no-boot", "keep a Quadlet from being started at boot, by a drop-in", option_take_flag,
	 IN_INSTANCE(no_boot)},
	{"--drop-publish", "keep a Quadlet from publishing these ports itself, by a drop-in", option_take_flag,
	 IN_INSTANCE(drop_publish)},
	{"--with CONTAINER[:PORT[:HEALTH-CHECK]]",
	 "wake that one first, and put it to sleep last; repeatable, in order", create_line_take_list,
	 IN_REQUEST(dependencies)},
	{"--with-project", "the same for what it needs of its compose project or pod", option_take_flag,
	 IN_REQUEST(with_project)},
	{"--backend docker|podman", "(default: docker for the system, podman for a user)", create_line_take_text,
	 ON_LINE(backend), CREATE_LINE_CREATES},
	{"--engine-socket PATH", "of the engine's API", create_line_take_text, ON_LINE(engine_socket),
	 CREATE_LINE_CREATES},
	{"--scope system|user", "(default: system for root)", arguments_take_scope, IN_INSTANCE(scope)},
	{.help = "Making the container first:", .sets = CREATE_LINE_CREATES},
	{"--image IMAGE", "of this machine; what comes after -- is the command, else the image's own",
	 create_line_take_text, IN_REQUEST(to_make.image), CREATE_LINE_CREATES},
	{"-e, --env NAME[=VALUE]", "a variable of it (without a value: yours); repeatable", create_line_take_list,
	 IN_REQUEST(to_make.environment), CREATE_LINE_CREATES},
	{"-v, --volume SOURCE:DIR[:OPTIONS]",
	 "a directory or a named volume in it; repeatable; the image's own volumes get names", create_line_take_list,
	 IN_REQUEST(to_make.volumes), CREATE_LINE_CREATES},
	{"--drop-volumes", "with --force: do without volumes of the container that is replaced", option_take_flag,
	 IN_REQUEST(drop_volumes), CREATE_LINE_CREATES},
	{"--network NETWORK", "none, host, or a network of the engine's (default: the engine's own)",
	 create_line_take_text, IN_REQUEST(to_make.network), CREATE_LINE_CREATES},
	{.help = "When:"},
	{"--startup-timeout SPAN", "for how long clients wait for a wake (default: 30s); it may go on",
	 create_line_take_text, IN_INSTANCE(startup_timeout)},
	{"--idle-timeout SPAN", "without a connection until sleep (default: 15min)", create_line_take_text,
	 IN_INSTANCE(idle_timeout)},
	{"--warm-for SPAN", "the same once a second client came, where it is longer (default: no longer)",
	 create_line_take_text, IN_INSTANCE(warm_for)},
	{"--schedule '[DAYS] HH:MM-HH:MM'", "keeps it warm at these times, as in 'Mon..Fri 08:00-18:00'; repeatable",
	 create_line_take_list, IN_INSTANCE(schedule)},
	{"--health-check CHECK",
	 HEALTH_CHECK_WORDS ", none, or a shell command" OPTION_NEXT_LINE
			    "with {container_port} (default: by the port, or the name of the socket; else listen)",
	 create_line_take_text, IN_INSTANCE(health_check)},
	{"--idle-action stop|pause", "how to sleep (default: stop)", create_line_take_text, ON_LINE(idle_action)},
	{"--keep-running", "leave a container running that ran before", option_take_flag, IN_INSTANCE(keep_running)},
	{"--ignore-from CIDR", "these clients neither wake it nor keep it awake: monitors; repeatable",
	 create_line_take_list, IN_INSTANCE(ignore_from)},
	{"--no-wake-from CIDR", "these clients do not wake it, but keep it awake; repeatable", create_line_take_list,
	 IN_INSTANCE(no_wake_from)},
	{"--no-hold-from CIDR", "these clients do not keep it awake, but wake it; repeatable", create_line_take_list,
	 IN_INSTANCE(no_hold_from)},
	{"--hold connections|data", "what keeps it awake: any connection, or one that has sent something",
	 create_line_take_text, IN_INSTANCE(hold)},
	{"--connection-timeout SPAN", "close connections that are quiet for so long", create_line_take_text,
	 IN_INSTANCE(connection_timeout)},
	{"--flow-timeout SPAN", "after the last datagram answers are passed on for so long (default: 60s)",
	 create_line_take_text, IN_INSTANCE(flow_timeout)},
	{"--keepalive SPAN", "probe quiet connections for dead peers after so long", create_line_take_text,
	 IN_INSTANCE(keepalive)},
	{"--drain-timeout SPAN", "for open connections when it is stopped", create_line_take_text,
	 IN_INSTANCE(drain_timeout)},
	{.help = "How:"},
	{"--proxy-protocol v1|v2", "tell the server who the client is", create_line_take_text,
	 IN_INSTANCE(proxy_protocol)},
	{"--transparent", "let the server see the client's own address", option_take_flag, IN_INSTANCE(transparent)},
	{"--workers N", "threads that forward", create_line_take_text, ON_LINE(workers)},
	{"--socket-mode MODE", "of Unix sockets (default: 0660)", create_line_take_text, IN_INSTANCE(socket_mode)},
	{"--socket-group GROUP", "of Unix sockets (default: the manager's own)", create_line_take_text,
	 IN_INSTANCE(socket_group)},
	{"--user USERNAME", "whom to notify on the desktop (default: $SUDO_USER or $USER)", create_line_take_text,
	 IN_INSTANCE(user)},
	{"--no-notifications", "nobody", option_take_flag, ON_LINE(no_notifications)},
	{"--no-selinux", "leave SELinux port labels alone", option_take_flag, IN_INSTANCE(no_selinux)},
	{"--force", "replace the instance of that name", option_take_flag, IN_REQUEST(force), CREATE_LINE_CREATES},
	{"--dry-run", "print the units and do nothing else", option_take_flag, IN_REQUEST(dry_run),
	 CREATE_LINE_CREATES},
	{"--json", "for programs", option_take_flag, IN_REQUEST(json), CREATE_LINE_CREATES},
	{"--unset OPTION", "back to its default, as in '--unset schedule'; repeatable", create_line_take_list,
	 ON_LINE(unset), CREATE_LINE_SETS},
	{"--all", "all instances of the scope", option_take_flag, ON_LINE(all), CREATE_LINE_SETS},
	{},
};

int create_line_read_words(const struct create_line *line, struct instance *i, struct error *err)
{
	uint64_t n;

	if (line->idle_action && idle_action_from_name(line->idle_action, &i->idle_action) < 0)
		return error_set(err, 0, "the idle action '%s' is neither stop nor pause", line->idle_action);
	if (line->workers && parse_u64("the number of workers", line->workers, 1, 64, &n, err) < 0)
		return -1;
	i->workers = line->workers ? (unsigned)n : i->workers;
	return 0;
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
int create_line_find_user(struct instance *i, bool wanted, struct error *err)
{
	const char *name = i->user ? i->user : default_user(i->scope);
	const struct passwd *pw = name ? getpwnam(name) : NULL;

	if (i->user && !pw)
		return error_set(err, 0, "there is no user '%s' to notify", i->user);
	if (i->user && i->scope == SCOPE_USER && pw->pw_uid != geteuid())
		return error_set(err, 0, "one user's instance cannot notify another, '%s': only root's can", i->user);
	i->notifications = wanted && pw && pw->pw_uid != 0;
	if (i->notifications)
		return create_line_replace(&i->user, pw->pw_name, err);
	free_ptr(&i->user);
	return 0;
}
