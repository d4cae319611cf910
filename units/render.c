#include "units/render.h"

#include <limits.h>
#include <string.h>

#include "common/clock.h"
#include "common/parse.h"
#include "handover/exit.h"
#include "instance/json.h"
#include "instance/validate.h"
#include "units/calendar.h"
#include "units/command_line.h"
#include "units/paths.h"
#include "units/sleep_command.h"

/* Seconds that the programs need beyond the configured times, mostly for a slow engine. */
#define START_MARGIN 15
#define STOP_MARGIN  60
#define WITH_MARGIN  15 /* also for each dependency that is stopped */
/* The proxy's default drain time-out, and systemd's DefaultTimeoutStopSec= for a container unit. */
#define DEFAULT_DRAIN	  10
#define DEFAULT_UNIT_STOP 90

/* One word of a command line: quoted, with specifiers and escapes disarmed (systemd.syntax(7), "Quoting";
 * systemd.service(5), "Command lines"). The ":" before the line switches variables off. */
static void put_word(FILE *f, const char *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:,@[]";

	if (*s && strspn(s, plain) == strlen(s)) {
		fprintf(f, " %s", s);
		return;
	}
	fputs(" \"", f);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '%')
			fputs("%%", f);
		else if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			fprintf(f, "\\x%02x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void put_option(FILE *f, const char *option, const char *value)
{
	if (!value)
		return;
	fprintf(f, " %s", option);
	put_word(f, value);
}

static void put_options(FILE *f, const char *option, char *const *values)
{
	for (; values && *values; values++)
		put_option(f, option, *values);
}

/* A value that systemd reads without quotes, expanding specifiers. */
static void put_value(FILE *f, const char *s)
{
	for (; *s; s++)
		fputs(*s == '%' ? "%%" : (char[]){*s, '\0'}, f);
}

static uint64_t seconds(const char *span)
{
	struct error ignored;
	uint64_t usec = USEC_INFINITY;

	(void)parse_duration("", span, &usec, &ignored); /* it was validated */
	return usec == USEC_INFINITY ? UINT64_MAX : usec / USEC_PER_SEC + (usec % USEC_PER_SEC != 0);
}

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static void put_timeout(FILE *f, const char *directive, uint64_t sec)
{
	/* systemd counts microseconds in 64 bits */
	if (sec > UINT64_MAX / USEC_PER_SEC - 1)
		fprintf(f, "%s=infinity\n", directive);
	else
		fprintf(f, "%s=%llu\n", directive, (unsigned long long)sec);
}

static bool is_unix_target(const struct instance *i)
{
	return i->targets && strncmp(i->targets[0], "unix:", 5) == 0;
}

/* The options that wake and sleep must share. */
static void put_container(FILE *f, const struct instance *i)
{
	put_option(f, "--name", i->name);
	put_option(f, "--backend", backend_kind_name(i->backend));
	put_option(f, "--container", i->container_name);
	put_option(f, "--engine-socket", i->engine_socket);
	put_option(f, "--unit", i->unit);
	if (i->keep_running)
		fputs(" --keep-running", f);
}

/* The dependencies, each followed by its options. Labels must not stop a dependency that somebody else has started. */
static void put_dependencies(FILE *f, const struct instance *i)
{
	for (size_t k = 0; k < i->n_dependencies; k++) {
		const struct dependency *d = &i->dependencies[k];

		put_option(f, "--with", d->container);
		put_option(f, "--with-unit", d->unit);
		if (i->keep_running || i->adopted)
			fputs(" --with-keep-running", f);
		if (d->port)
			fprintf(f, " --with-port %u", d->port);
		put_option(f, "--with-health-check", d->health_check);
	}
}

/* Dependencies are reached as the instance's own container is without --target. */
static bool has_outside_source(const struct instance *i)
{
	return instance_appearance(i) == APPEAR_OUTSIDE || (i->outside_source && i->n_dependencies > 0);
}

static void put_nshelper(FILE *f, const struct instance *i)
{
	fputs(" -- " LIBEXECDIR "/nshelper", f);
	if (i->scope == SCOPE_SYSTEM)
		put_option(f, "--user", "sockwake");
	fputs(" --unreachable", f);
	if (is_unix_target(i))
		fputs(" --container-root", f);
	if (has_outside_source(i))
		fputs(" --outside-source", f);
	if (i->transparent)
		fputs(" --transparent", f);
}

static void put_proxy(FILE *f, const struct instance *i)
{
	char text[PUBLISH_TEXT_MAX];
	/* The activator asks for the engine's own health check; the proxy still waits for the port. */
	const char *check = strcmp(i->health_check, "healthy") == 0 ? "listen" : i->health_check;

	fputs(" -- " LIBEXECDIR "/proxy", f);
	for (size_t k = 0; k < i->n_ports; k++) {
		publish_format(&i->ports[k], text);
		put_option(f, "--forward", text);
	}
	put_options(f, "--target", i->targets);
	put_option(f, "--health-check", check);
	put_option(f, "--startup-timeout", i->startup_timeout);
	put_option(f, "--idle-timeout", i->idle_timeout);
	put_option(f, "--warm-for", i->warm_for);
	put_option(f, "--keepalive", i->keepalive);
	put_option(f, "--connection-timeout", i->connection_timeout);
	put_option(f, "--flow-timeout", i->flow_timeout);
	put_option(f, "--drain-timeout", i->drain_timeout);
	if (i->workers)
		fprintf(f, " --workers %u", i->workers);
	put_option(f, "--proxy-protocol", i->proxy_protocol);
	if (i->transparent)
		fputs(" --transparent", f);
	put_options(f, "--no-hold-from", i->no_hold_from);
	put_options(f, "--no-hold-from", i->ignore_from);
	put_option(f, "--hold", i->hold);
}

static void put_keeper(FILE *f, const struct instance *i)
{
	fputs("ExecStart=:" LIBEXECDIR "/keeper", f);
	put_option(f, "--name", i->name);
	put_option(f, "--startup-timeout", i->startup_timeout);
	put_options(f, "--no-wake-from", i->no_wake_from);
	put_options(f, "--no-wake-from", i->ignore_from);
	put_options(f, "--schedule", i->schedule);
	if (i->notifications)
		put_option(f, "--notify", i->user);
}

/* "-" in front: a failure only adds a line to the journal. */
static int put_stop_command(FILE *f, const struct instance *i)
{
	_cleanup_command_line_ struct command_line c = {};
	struct error no_memory;

	if (units_sleep_command(i, &c, &no_memory) < 0)
		return -1;
	fprintf(f, "ExecStopPost=-:%s", c.words[0]); /* our own path needs no quotes */
	for (size_t k = 1; k < c.n; k++)
		put_word(f, c.words[k]);
	fputc('\n', f);
	return 0;
}

static int put_commands(FILE *f, const struct instance *i)
{
	put_keeper(f, i);
	fputs(" -- " LIBEXECDIR "/activator", f);
	put_container(f, i);
	put_option(f, "--idle-action", idle_action_name(i->idle_action));
	put_option(f, "--startup-timeout", i->startup_timeout);
	if (strcmp(i->health_check, "healthy") == 0)
		fputs(" --healthy", f);
	put_dependencies(f, i);
	put_nshelper(f, i);
	put_proxy(f, i);
	fputc('\n', f);
	return put_stop_command(f, i);
}

static void put_timeouts(FILE *f, const struct instance *i)
{
	uint64_t drain = i->drain_timeout ? seconds(i->drain_timeout) : DEFAULT_DRAIN;
	uint64_t stop = add(i->stop_timeout, i->unit ? DEFAULT_UNIT_STOP : 0);

	for (size_t k = 0; k < i->n_dependencies; k++) /* one after the other */
		stop = add(stop, add(i->dependencies[k].stop_timeout,
				     WITH_MARGIN + (i->dependencies[k].unit ? DEFAULT_UNIT_STOP : 0)));
	put_timeout(f, "TimeoutStartSec", add(seconds(i->startup_timeout), START_MARGIN));
	put_timeout(f, "TimeoutStopSec", add(add(drain, stop), STOP_MARGIN));
}

/* Which directives are left out, and why. Each directive that makes systemd set up a system call filter or a mount
 * namespace slows every wake: together by 20 ms and more, and the mount options more with every running container (its
 * mounts are copied). The proxy also keeps every filter, which slows each system call of the data path. And they would
 * protect nothing: the activator may ask the engine for everything, and the proxy confines itself to a narrower filter
 * and an empty root before it reads the first byte of a client (docs/confinement.md). A user manager would need a user
 * namespace for a mount namespace, from which the container's cannot be entered; PrivateUsers=, DynamicUser= and
 * PrivatePIDs= break entry everywhere. */
static void put_privileges(FILE *f, const struct instance *i)
{
	fputs("NoNewPrivileges=yes\n", f);
	if (i->scope != SCOPE_SYSTEM)
		return;
	fputs("CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_KILL", f);
	fputs(has_outside_source(i) || i->transparent ? " CAP_NET_ADMIN" : "", f);
	fputs(i->transparent ? " CAP_NET_RAW\n" : "\n", f);
}

static void put_markers(FILE *f, const char *what, const char *json)
{
	fprintf(f, "[Unit]\nDescription=%s\nDocumentation=man:sockwake(1)\n", what);
	fprintf(f, MANAGED_BY_LINE "\n" INSTANCE_CONFIG_PREFIX "%s\nStartLimitIntervalSec=0\n", json);
}

static int put_service(FILE *f, const struct instance *i, const char *json)
{
	char what[512];

	snprintf(what, sizeof(what), "%s, woken on demand", i->container_name);
	put_markers(f, what, json);
	fprintf(f, "Requires=%s.socket\nAfter=%s.socket " ENGINES_TARGET "\n", i->name, i->name);
	/* The keeper forwards signals, and replaces a process that runs out of memory. Only a killed keeper is
	 * restarted; activator/sleep.c says how often. An interrupted wake is a success if the manager has stopped the
	 * keeper; otherwise the keeper ended too early, which is abnormal. */
	fputs("\n[Service]\nType=notify\nNotifyAccess=main\nNonBlocking=yes\nKillMode=mixed\nOOMPolicy=continue\n"
	      "Restart=on-abnormal\nRestartSec=0\n",
	      f);
	fprintf(f, "SuccessExitStatus=%d\nRestartPreventExitStatus=%d\n", EXIT_BROKEN_OFF, EXIT_BROKEN_OFF);
	if (put_commands(f, i) < 0)
		return -1;
	put_timeouts(f, i);
	fputs("SyslogIdentifier=sockwake\n"
	      "RuntimeDirectory=sockwake\nRuntimeDirectoryPreserve=yes\nLimitNOFILE=524288\n",
	      f);
	put_privileges(f, i);
	return 0;
}

static void put_listener(FILE *f, const struct publish *p)
{
	const char *directive = p->type == SOCK_DGRAM	    ? "ListenDatagram"
				: p->type == SOCK_SEQPACKET ? "ListenSequentialPacket"
							    : "ListenStream";

	fprintf(f, "%s=", directive);
	if (p->path[0])
		put_value(f, p->path);
	else if (strchr(p->address, ':'))
		fprintf(f, "[%s]:%u", p->address, p->port);
	else
		fprintf(f, "%s%s%u", p->address, p->address[0] ? ":" : "", p->port);
	fputc('\n', f);
}

static int put_socket(FILE *f, const struct instance *i, const char *json)
{
	bool stream = false, datagram = false, path = false;
	char what[512];

	snprintf(what, sizeof(what), "Socket that wakes %s", i->container_name);
	put_markers(f, what, json);
	if (i->schedule) /* see put_timer() */
		fprintf(f, "Wants=%s.timer\n", i->name);
	fputs("\n[Socket]\n", f);
	for (size_t k = 0; k < i->n_ports; k++) {
		const struct publish *p = &i->ports[k];

		put_listener(f, p);
		path |= p->path[0] != '\0';
		datagram |= p->type == SOCK_DGRAM;
		stream |= !p->path[0] && p->type == SOCK_STREAM;
	}
	/* Independent of net.ipv6.bindv6only; the kernel cuts the backlog down to net.core.somaxconn. A keeper lives
	 * at least a second, or serves a client before it ends: only a keeper that cannot run reaches the trigger
	 * limit. */
	fputs("BindIPv6Only=both\nFreeBind=yes\nBacklog=65535\n", f);
	fprintf(f, "TriggerLimitIntervalSec=%ds\nTriggerLimitBurst=%d\n", TRIGGER_LIMIT_SECONDS, TRIGGER_LIMIT_BURST);
	if (stream && !datagram && !path) /* on other sockets it fails, with a line in the journal */
		fputs("NoDelay=yes\n", f);
	if (datagram)
		fputs("PassPacketInfo=yes\n", f);
	if (path)
		fprintf(f, "SocketMode=%s\nRemoveOnStop=yes\n", i->socket_mode ? i->socket_mode : "0660");
	if (path && i->socket_group)
		fprintf(f, "SocketGroup=%s\n", i->socket_group);
	fputs("\n[Install]\nWantedBy=sockets.target\n", f);
	return 0;
}

/* The timer elapses in every minute of the schedule. While the service runs, the timer waits for its end
 * (systemd.timer(5)), so nothing ticks; an instance that ended early, failed to wake or was off is awake again within
 * a minute. The socket starts and stops the timer with itself: a timer alone would bring a stopped instance back. */
static int put_timer(FILE *f, const struct instance *i, const char *json)
{
	struct error ignored; /* they were validated */
	struct window w;
	char what[512];

	snprintf(what, sizeof(what), "Schedule that keeps %s warm", i->container_name);
	put_markers(f, what, json);
	fprintf(f, "PartOf=%s.socket\n\n[Timer]\nAccuracySec=1s\n", i->name);
	for (char **s = i->schedule; *s; s++) {
		if (window_parse(*s, &w, &ignored) == 0)
			calendar_put(f, &w);
	}
	return 0;
}

typedef int (*put_fn)(FILE *f, const struct instance *i, const char *json);

static int render(put_fn put, const struct instance *i, const char *json, char **ret, struct error *err)
{
	size_t len;
	FILE *f = open_memstream(ret, &len);
	int r;

	if (!f)
		return error_errno(err, errno, "cannot render the units of '%s'", i->name);
	r = put(f, i, json);
	if ((r < 0) | ferror(f) | fclose(f))
		return error_errno(err, ENOMEM, "cannot render the units of '%s'", i->name);
	return 0;
}

int units_render(const struct instance *i, struct rendered *ret, struct error *err)
{
	_cleanup_free_ char *json = NULL;

	*ret = (struct rendered){};
	if (instance_validate(i, err) < 0)
		return -1;
	json = instance_to_json(i);
	if (!json)
		return error_errno(err, ENOMEM, "cannot render the units of '%s'", i->name);
	if (strlen(json) > INSTANCE_JSON_MAX)
		return error_set(err, EFBIG, "the configuration of '%s' is longer than %u bytes", i->name,
				 INSTANCE_JSON_MAX);
	if (render(put_socket, i, json, &ret->socket, err) < 0 || render(put_service, i, json, &ret->service, err) < 0)
		return -1;
	return i->schedule ? render(put_timer, i, json, &ret->timer, err) : 0;
}

void rendered_clear(struct rendered *r)
{
	free(r->socket);
	free(r->service);
	free(r->timer);
	*r = (struct rendered){};
}
