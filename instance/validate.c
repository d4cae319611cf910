/* The rules for every member of an instance. */
#include "instance/validate.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/cidr.h"
#include "common/parse.h"
#include "instance/dependency.h"
#include "instance/health_check.h"
#include "instance/instance.h"
#include "instance/schedule.h"

/* A unit file takes a listening path as it is, without quotes: white space at its end would be lost, a backslash there
 * would join the next line. systemd would also simplify the path, and the proxy would then not recognise it. */
static bool listening_path_is_valid(const char *s)
{
	return path_is_valid(s) && s[1] && s[strlen(s) - 1] != '/' && !strpbrk(s, " \\") && !strstr(s, "//") &&
	       !strstr(s, "/./") && strcmp(s + strlen(s) - 2, "/.") != 0;
}

static bool is_unix_target(const struct instance *i)
{
	return i->targets && i->targets[0] && strncmp(i->targets[0], "unix:", 5) == 0;
}

static int validate_port(const struct instance *i, size_t k, struct error *err)
{
	const struct publish *p = &i->ports[k];
	char text[PUBLISH_TEXT_MAX];

	publish_format(p, text);
	if (p->path[0] && !listening_path_is_valid(p->path))
		return error_set(err, 0,
				 "the path to listen on '%s' is not an absolute path without spaces, "
				 "backslashes, '//', '/.' and '/..'",
				 p->path);
	if (is_unix_target(i) && p->type == SOCK_DGRAM)
		return error_set(err, 0, "'%s' cannot be forwarded to a Unix socket: that takes stream connections",
				 text);
	if (!is_unix_target(i) && p->container_port == 0)
		return error_set(err, 0, "'%s': the container port must be from 1 to 65535", text);
	if (!is_unix_target(i) && p->type == SOCK_SEQPACKET)
		return error_set(err, 0, "'%s': a seqpacket socket needs --target unix:/PATH", text);
	for (size_t m = 0; m < k; m++) {
		if (publish_overlap(p, &i->ports[m]))
			return error_set(err, 0, "'%s' listens where another port of the instance does", text);
	}
	return 0;
}

static int validate_ports(const struct instance *i, struct error *err)
{
	if (i->n_ports == 0)
		return error_set(
			err, 0,
			"no port to listen on: give one with -p PORT:CPORT, where clients connect to PORT and the server in the container "
			"listens on CPORT");
	if (i->n_ports > INSTANCE_PORTS_MAX)
		return error_set(err, 0, "an instance has at most %d ports", INSTANCE_PORTS_MAX);
	for (size_t k = 0; k < i->n_ports; k++) {
		if (validate_port(i, k, err) < 0)
			return -1;
	}
	return 0;
}

static bool address_is_valid(const char *s)
{
	struct in6_addr a;

	return inet_pton(AF_INET, s, &a) == 1 || inet_pton(AF_INET6, s, &a) == 1;
}

static int validate_targets(const struct instance *i, struct error *err)
{
	if (!i->targets)
		return 0;
	for (size_t k = 0; i->targets[k]; k++) {
		const char *s = i->targets[k];

		if (k >= INSTANCE_LIST_MAX)
			return error_set(err, 0, "more than %d targets", INSTANCE_LIST_MAX);
		if (strncmp(s, "unix:", 5) == 0) {
			if (!path_is_valid(s + 5))
				return error_set(err, 0, "the target '%s' is not of the form unix:/PATH", s);
			if (i->targets[1])
				return error_set(err, 0, "the target '%s' must be the only one", s);
			if (i->transparent)
				return error_set(err, 0, "--transparent needs a target that is an address, not '%s'",
						 s);
		} else if (!address_is_valid(s)) {
			return error_set(err, 0, "the target '%s' is neither an IP address nor unix:/PATH", s);
		}
	}
	return 0;
}

static int validate_networks(const char *what, char **list, struct error *err)
{
	struct cidr ignored;

	for (size_t k = 0; list && list[k]; k++) {
		if (k >= INSTANCE_LIST_MAX)
			return error_set(err, 0, "more than %d networks in %s", INSTANCE_LIST_MAX, what);
		if (cidr_parse(list[k], &ignored, err) < 0)
			return error_context(err, "%s", what);
	}
	return 0;
}

/* A job of --with has ended before the instance's own container starts, which is there to be served. */
static int validate_own_check(const char *check, struct error *err)
{
	if (health_check_is_completed(check))
		return error_set(err, 0,
				 "the health check '" HEALTH_CHECK_COMPLETED
				 "' is for a container of --with, as in --with migrate::" HEALTH_CHECK_COMPLETED);
	return health_check_validate(check, err);
}

/* A span may be NULL if that means a default. */
static int validate_span(const char *what, const char *s, bool may_be_zero, struct error *err)
{
	uint64_t usec;

	if (!s)
		return 0;
	if (strlen(s) > 255 || !text_is_printable(s))
		return error_set(err, 0, "%s '%.255s' is not a time span of at most 255 printable characters", what, s);
	if (parse_duration(what, s, &usec, err) < 0)
		return -1;
	if (usec == 0 && !may_be_zero)
		return error_set(err, 0, "%s '%s' must be more than 0", what, s);
	return 0;
}

static int validate_spans(const struct instance *i, struct error *err)
{
	if (!i->startup_timeout || !i->idle_timeout)
		return error_set(err, 0, "the start-up or idle time-out is missing");
	if (validate_span("the start-up time-out", i->startup_timeout, false, err) < 0 ||
	    validate_span("the idle time-out", i->idle_timeout, false, err) < 0 ||
	    validate_span("the warm time", i->warm_for, false, err) < 0 ||
	    validate_span("the keepalive time", i->keepalive, false, err) < 0 ||
	    validate_span("the connection time-out", i->connection_timeout, false, err) < 0 ||
	    validate_span("the flow time-out", i->flow_timeout, false, err) < 0)
		return -1;
	return validate_span("the drain time-out", i->drain_timeout, true, err);
}

static int validate_schedule(char **list, struct error *err)
{
	struct window ignored;

	if (list && !list[0])
		return error_set(err, 0, "the schedule has no window");
	for (size_t k = 0; list && list[k]; k++) {
		if (k >= WINDOWS_MAX)
			return error_set(err, 0, "more than %d windows in --schedule", WINDOWS_MAX);
		if (window_parse(list[k], &ignored, err) < 0)
			return -1;
	}
	return 0;
}

static int validate_names(const struct instance *i, struct error *err)
{
	if (i->drop_in && !path_is_valid(i->drop_in))
		return error_set(err, 0, "the drop-in '%s' is not an absolute path", i->drop_in);
	/* Checks the unit first: other members may be derived from it. */
	if (i->unit && !service_name_is_valid(i->unit))
		return error_set(err, 0, "the unit '%s' is not the name of a service: NAME.service", i->unit);
	if (!i->name || !instance_name_is_valid(i->name))
		return error_set(err, 0, "the name '%s' is not 1 to 240 of the characters A-Z a-z 0-9 _ -",
				 i->name ? i->name : "");
	if (!i->container_name || !container_name_is_valid(i->container_name))
		return error_set(
			err, 0,
			"the container name '%s' is not a letter or digit and then up to 254 of the characters "
			"A-Z a-z 0-9 _ . -",
			i->container_name ? i->container_name : "");
	if (i->unit && strlen(i->unit) == strlen(i->name) + 8 && strncmp(i->unit, i->name, strlen(i->name)) == 0)
		return error_set(err, 0, "the instance and the unit would both be '%s': give the instance another name",
				 i->unit);
	return 0;
}

/* useradd(8)'s strict rule, plus capitals, which other tools allow. */
static bool account_is_valid(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len <= 32 && s[0] != '-' && (s[0] < '0' || s[0] > '9') &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}

static bool socket_mode_is_valid(const char *s)
{
	return strlen(s) == 4 && s[0] == '0' && strspn(s, "01234567") == 4;
}

static int validate_words(const struct instance *i, struct error *err)
{
	if (i->user && !account_is_valid(i->user))
		return error_set(err, 0, "'%s' is not the name of a user", i->user);
	if (i->socket_group && !account_is_valid(i->socket_group) &&
	    parse_group_number(i->socket_group, &(gid_t){0}, &(struct error){0}) < 0)
		return error_set(err, 0, "'%s' is neither the name nor the number of a group", i->socket_group);
	if (i->socket_mode && !socket_mode_is_valid(i->socket_mode))
		return error_set(err, 0, "the mode '%s' is not four octal digits as in 0660", i->socket_mode);
	if (i->proxy_protocol && strcmp(i->proxy_protocol, "v1") != 0 && strcmp(i->proxy_protocol, "v2") != 0)
		return error_set(err, 0, "the PROXY protocol '%s' is neither v1 nor v2", i->proxy_protocol);
	if (i->hold && strcmp(i->hold, "connections") != 0 && strcmp(i->hold, "data") != 0)
		return error_set(err, 0, "--hold '%s' is neither 'connections' nor 'data'", i->hold);
	if (i->workers > 64)
		return error_set(err, 0, "%u workers are more than 64", i->workers);
	if (i->engine_socket && (!path_is_valid(i->engine_socket) ||
				 strlen(i->engine_socket) >= sizeof(((struct sockaddr_un *)0)->sun_path)))
		return error_set(err, 0, "the engine's socket '%s' is not an absolute path of at most %zu bytes",
				 i->engine_socket, sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	return 0;
}

int instance_validate(const struct instance *i, struct error *err)
{
	if (validate_names(i, err) < 0 || validate_targets(i, err) < 0 || validate_ports(i, err) < 0 ||
	    validate_spans(i, err) < 0 || validate_schedule(i->schedule, err) < 0 ||
	    validate_own_check(i->health_check, err) < 0 || dependencies_validate(i, err) < 0 ||
	    validate_networks("--no-wake-from", i->no_wake_from, err) < 0 ||
	    validate_networks("--no-hold-from", i->no_hold_from, err) < 0 ||
	    validate_networks("--ignore-from", i->ignore_from, err) < 0)
		return -1;
	return validate_words(i, err);
}
