#include "cli/told.h"

#include <stdio.h>
#include <string.h>

#include "backends/engine.h"
#include "cli/sheet.h"
#include "common/clock.h"
#include "control/outlook.h"
#include "instance/defaults.h"

void told_print_ports(const struct terminal *t, const struct instance *i)
{
	char spec[PUBLISH_TEXT_MAX], line[PUBLISH_TEXT_MAX + 32];

	for (size_t k = 0; k < i->n_ports; k++) {
		const struct publish *p = &i->ports[k];
		char *colon;

		publish_format(p, spec);
		colon = strrchr(spec, ':');
		*colon = '\0';
		/* The original tool connected to a published port of the container. */
		snprintf(line, sizeof(line), "%s %s port %s%s", spec, t->utf8 ? "→" : "->", colon + 1,
			 i->legacy    ? " of the host"
			 : i->targets ? ""
				      : " in the container");
		sheet_line(t, k ? "" : "Listening", line);
	}
	for (char **s = i->targets; s && *s; s++)
		sheet_line(t, s == i->targets ? "Target" : "", *s);
}

/* Only values that differ from the default. */
static void print_appearance(const struct terminal *t, const struct instance *i)
{
	char line[512];

	switch (instance_appearance(i)) {
	case APPEAR_NOWHERE:
	case APPEAR_OUTSIDE:
		return;
	case APPEAR_LOCAL:
		sheet_line(t, "Seen as", "local ones by the server, as --target says");
		return;
	case APPEAR_LOCAL_BEFORE:
		snprintf(line, sizeof(line),
			 "local ones by the server, which may trust them: 'sockwake refresh %s' ends that", i->name);
		sheet_line(t, "Seen as", line);
		return;
	}
}

/* Options on clients, shown if they differ from the default. */
static const struct {
	const char *title;
	size_t list;
} exclusions[] = {
	{"Ignores", offsetof(struct instance, ignore_from)},
	{"No wake from", offsetof(struct instance, no_wake_from)},
	{"No hold from", offsetof(struct instance, no_hold_from)},
};

static void print_clients(const struct terminal *t, const struct instance *i)
{
	char line[512];

	if (i->hold && strcmp(i->hold, "data") == 0)
		sheet_line(t, "Held by", "connections on which the client has sent something");
	for (size_t k = 0; k < sizeof(exclusions) / sizeof(*exclusions); k++) {
		char **list = *(char **const *)(const void *)((const char *)i + exclusions[k].list);

		for (char **s = list; s && *s; s++)
			sheet_line(t, s == list ? exclusions[k].title : "", *s);
	}
	if (!i->flow_timeout)
		return;
	snprintf(line, sizeof(line), "answers come through until %s after the last datagram", i->flow_timeout);
	sheet_line(t, "UDP", line);
}

/* Other options in the syntax of `create`, shown if they differ from the default. */
static const struct {
	const char *option;
	size_t text; /* a member that is NULL if the option was not given */
} others[] = {
	{"--connection-timeout", offsetof(struct instance, connection_timeout)},
	{"--keepalive", offsetof(struct instance, keepalive)},
	{"--drain-timeout", offsetof(struct instance, drain_timeout)},
	{"--proxy-protocol", offsetof(struct instance, proxy_protocol)},
	{"--socket-mode", offsetof(struct instance, socket_mode)},
	{"--socket-group", offsetof(struct instance, socket_group)},
};

static const struct {
	const char *option;
	size_t flag;
} flags[] = {
	{"--no-boot", offsetof(struct instance, no_boot)},
	{"--drop-publish", offsetof(struct instance, drop_publish)},
	{"--transparent", offsetof(struct instance, transparent)},
	{"--no-selinux", offsetof(struct instance, no_selinux)},
};

static void add_option(FILE *to, const char *option, const char *value)
{
	fprintf(to, "%s%s%s%s", ftell(to) > 0 ? " " : "", option, value ? " " : "", value ? value : "");
}

static bool is_default_socket(const struct instance *i)
{
	char socket[PATH_MAX];
	struct error ignored;

	return !i->engine_socket || (engine_find_socket(i->backend, i->scope, NULL, socket, &ignored) == 0 &&
				     strcmp(socket, i->engine_socket) == 0);
}

static void add_options(FILE *to, const struct instance *i)
{
	char workers[16];

	if (outlook_span(i->startup_timeout) != DEFAULT_STARTUP_TIMEOUT)
		add_option(to, "--startup-timeout", i->startup_timeout);
	for (size_t k = 0; k < sizeof(others) / sizeof(*others); k++) {
		const char *text = *(char *const *)(const void *)((const char *)i + others[k].text);

		if (text)
			add_option(to, others[k].option, text);
	}
	if (i->workers) {
		snprintf(workers, sizeof(workers), "%u", i->workers);
		add_option(to, "--workers", workers);
	}
	if (!is_default_socket(i))
		add_option(to, "--engine-socket", i->engine_socket);
	for (size_t k = 0; k < sizeof(flags) / sizeof(*flags); k++) {
		if (*(const bool *)((const char *)i + flags[k].flag))
			add_option(to, flags[k].option, NULL);
	}
	/* For root the default depends on who has created the instance. */
	if (i->scope == SCOPE_USER && !i->notifications)
		add_option(to, "--no-notifications", NULL);
}

static void print_options(const struct terminal *t, const struct instance *i)
{
	_cleanup_free_ char *line = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&line, &len);

	if (!f)
		return;
	add_options(f, i);
	if (fclose(f) == 0 && len > 0)
		sheet_line(t, "Options", line);
}

void told_print(const struct terminal *t, const struct instance *i)
{
	for (char **s = i->schedule; s && *s; s++)
		sheet_line(t, s == i->schedule ? "Kept warm" : "", *s);
	print_clients(t, i);
	if (i->legacy)
		return;
	print_appearance(t, i);
	if (i->scope == SCOPE_SYSTEM && i->notifications)
		sheet_line(t, "Notifies", i->user);
	print_options(t, i);
}
