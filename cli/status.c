#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/each.h"
#include "cli/text.h"
#include "common/clock.h"
#include "control/note.h"
#include "control/observe.h"
#include "control/warning.h"
#include "instance/dependency.h"
#include "units/paths.h"

/* The parts of a wake, in the order in which they happen: each ends with the time that is kept in this member. */
static const struct part {
	const char *key;   /* in JSON */
	const char *title; /* for people */
	size_t end;
} parts[] = {
	{"load", "loading", offsetof(struct stats, t_main)},
	{"with", "those first", offsetof(struct stats, t_dependencies)},
	{"engine", "engine", offsetof(struct stats, t_started)},
	{"inspect", "inspection", offsetof(struct stats, t_inspected)},
	{"handover", "hand-over", offsetof(struct stats, t_proxy)},
	{"readiness", "readiness", offsetof(struct stats, t_ready)},
	{"confinement", "confinement", offsetof(struct stats, t_accepting)},
};
#define N_PARTS (sizeof(parts) / sizeof(*parts))

static uint64_t at(const struct stats *s, size_t offset)
{
	uint64_t t;

	memcpy(&t, (const char *)s + offset, sizeof(t));
	return t;
}

/* How long a part took; false when the wake did not get that far or does not have it (or the file makes no sense). */
static bool part_took(const struct stats *s, size_t k, uint64_t *ret)
{
	uint64_t begin = s->t_spawned, end = at(s, parts[k].end);

	for (size_t m = 0; m < k; m++) {
		uint64_t earlier = at(s, parts[m].end);

		begin = earlier ? earlier : begin;
	}

	*ret = end - begin;
	return begin && end >= begin;
}

static bool whole_wake(const struct stats *s, uint64_t *ret)
{
	*ret = s->t_accepting - s->t_spawned;
	return s->t_spawned && s->t_accepting >= s->t_spawned;
}

static cJSON *statistics_to_json(const struct stats *s)
{
	cJSON *object = cJSON_CreateObject(), *wake = cJSON_AddObjectToObject(object, "last_wake_ms");
	cJSON *ends = cJSON_AddObjectToObject(object, "last_wake_ends");
	uint64_t usec;

	for (size_t k = 0; k < N_PARTS; k++) {
		if (!part_took(s, k, &usec))
			continue;
		cJSON_AddNumberToObject(wake, parts[k].key, (double)usec / (double)USEC_PER_MSEC);
		cJSON_AddNumberToObject(ends, parts[k].key, (double)at(s, parts[k].end) / (double)USEC_PER_SEC);
	}
	if (whole_wake(s, &usec))
		cJSON_AddNumberToObject(wake, "total", (double)usec / (double)USEC_PER_MSEC);
	cJSON_AddNumberToObject(object, "last_wake", (double)s->wake_wall / (double)USEC_PER_SEC);
	cJSON_AddNumberToObject(object, "wakes", (double)s->wakes);
	cJSON_AddBoolToObject(object, "found_running", (s->flags & STATS_FOUND_RUNNING) != 0);
	cJSON_AddBoolToObject(object, "full", (s->flags & STATS_FULL) != 0);
	cJSON_AddNumberToObject(object, "connections_total", (double)s->connections_total);
	cJSON_AddNumberToObject(object, "connections_failed", (double)s->connections_failed);
	cJSON_AddNumberToObject(object, "bytes_to_container", (double)s->bytes_to_container);
	cJSON_AddNumberToObject(object, "bytes_from_container", (double)s->bytes_from_container);
	cJSON_AddNumberToObject(object, "flows_total", (double)s->flows_total);
	cJSON_AddNumberToObject(object, "datagrams_dropped", (double)s->datagrams_dropped);
	return object;
}

static int print_json(const struct observation *o, const char *note, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	cJSON *object = observation_to_json(o);

	if (object)
		cJSON_AddItemToObject(object, "note", *note ? cJSON_CreateString(note) : cJSON_CreateNull());
	if (object && o->have_stats)
		cJSON_AddItemToObject(object, "statistics", statistics_to_json(&o->stats));
	text = object ? cJSON_Print(object) : NULL;
	cJSON_Delete(object);
	if (!text)
		return error_errno(err, ENOMEM, "cannot print the status");
	puts(text);
	return 0;
}

static void print_line(const char *title, const char *value)
{
	printf("%12s%c %s\n", title, *title ? ':' : ' ', value);
}

static void print_state(const struct observation *o)
{
	char since[TEXT_MAX], line[TEXT_MAX + 64];

	if (o->since_usec)
		snprintf(line, sizeof(line), "%s for %s", observe_state_name(o->state),
			 text_since(o->since_usec, since));
	else
		snprintf(line, sizeof(line), "%s", observe_state_name(o->state));
	print_line("State", line);
	if (o->reason[0])
		print_line("Reason", o->reason);
	if (!o->held_until)
		return;
	snprintf(line, sizeof(line), "awake until %s", text_until(o->held_until, since));
	print_line("Held", line);
}

static void print_ports(const struct instance *i)
{
	char spec[PUBLISH_TEXT_MAX], line[PUBLISH_TEXT_MAX + 32];

	for (size_t k = 0; k < i->n_ports; k++) {
		const struct publish *p = &i->ports[k];
		char *colon;

		publish_format(p, spec);
		colon = strrchr(spec, ':');
		*colon = '\0';
		/* The original tool went through a port that the container publishes. */
		snprintf(line, sizeof(line), "%s → port %s%s", spec, colon + 1,
			 i->legacy    ? " of the host"
			 : i->targets ? ""
				      : " in the container");
		print_line(k ? "" : "Listening", line);
	}
	for (char **t = i->targets; t && *t; t++)
		print_line(t == i->targets ? "Target" : "", *t);
}

/* Only what is not as it is by default. */
static void print_appearance(const struct instance *i)
{
	char line[512];

	switch (instance_appearance(i)) {
	case APPEAR_NOWHERE:
	case APPEAR_OUTSIDE:
		return;
	case APPEAR_LOCAL:
		print_line("Clients", "appear to the server as local ones, as --target says");
		return;
	case APPEAR_LOCAL_BEFORE:
		snprintf(line, sizeof(line),
			 "appear to the server as local ones, which it may trust: 'sockwake refresh %s' ends that",
			 i->name);
		print_line("Clients", line);
		return;
	}
}

static void print_dependencies(const struct observation *o)
{
	const struct instance *i = &o->stored->instance;
	char text[DEPENDENCY_TEXT_MAX], line[DEPENDENCY_TEXT_MAX + 320];

	for (size_t k = 0; k < i->n_dependencies; k++) {
		const struct dependency *d = &i->dependencies[k];

		snprintf(line, sizeof(line), "%s: %s%s%s", dependency_format(d, text), o->dependency_states[k],
			 d->unit ? ", run by " : "", d->unit ? d->unit : "");
		print_line(k ? "" : "After", line);
	}
}

/* What the instance was told about its clients, where that is not the default. */
static const struct {
	const char *title;
	size_t list;
} exclusions[] = {
	{"Ignores", offsetof(struct instance, ignore_from)},
	{"No wake from", offsetof(struct instance, no_wake_from)},
	{"No hold from", offsetof(struct instance, no_hold_from)},
};

static void print_clients(const struct instance *i)
{
	char line[512];

	if (i->hold && strcmp(i->hold, "data") == 0)
		print_line("Held by", "connections on which the client has sent something");
	for (size_t k = 0; k < sizeof(exclusions) / sizeof(*exclusions); k++) {
		char **list = *(char **const *)(const void *)((const char *)i + exclusions[k].list);

		for (char **s = list; s && *s; s++)
			print_line(s == list ? exclusions[k].title : "", *s);
	}
	if (!i->flow_timeout)
		return;
	snprintf(line, sizeof(line), "answers come through until %s after the last datagram", i->flow_timeout);
	print_line("UDP", line);
}

/* What else it was told, as `create` is told it. */
static const struct {
	const char *option;
	size_t text; /* a member that is NULL where nothing was said */
} others[] = {
	{"--connection-timeout", offsetof(struct instance, connection_timeout)},
	{"--keepalive", offsetof(struct instance, keepalive)},
	{"--drain-timeout", offsetof(struct instance, drain_timeout)},
	{"--proxy-protocol", offsetof(struct instance, proxy_protocol)},
	{"--socket-mode", offsetof(struct instance, socket_mode)},
	{"--socket-group", offsetof(struct instance, socket_group)},
	{"--user", offsetof(struct instance, user)},
};

static void print_others(const struct instance *i)
{
	char line[2048];
	size_t len = (size_t)snprintf(line, sizeof(line), "--startup-timeout %s", i->startup_timeout);

	for (size_t k = 0; k < sizeof(others) / sizeof(*others); k++) {
		const char *text = *(char *const *)(const void *)((const char *)i + others[k].text);

		if (text && len < sizeof(line))
			len += (size_t)snprintf(line + len, sizeof(line) - len, " %s %s", others[k].option, text);
	}
	if (i->workers && len < sizeof(line))
		len += (size_t)snprintf(line + len, sizeof(line) - len, " --workers %u", i->workers);
	if (len < sizeof(line))
		snprintf(line + len, sizeof(line) - len, "%s%s%s", i->transparent ? " --transparent" : "",
			 i->notifications ? "" : " --no-notifications", i->no_selinux ? " --no-selinux" : "");
	print_line("Options", line);
}

static void print_container(const struct observation *o)
{
	const struct instance *i = &o->stored->instance;
	char line[1024];

	snprintf(line, sizeof(line), "%s (%s): %s", i->container_name, backend_kind_name(i->backend),
		 o->container_state);
	print_line("Container", line);
	if (i->unit)
		print_line("Run by", i->unit);
	print_line("Ready when", i->health_check);
	print_dependencies(o);
	snprintf(line, sizeof(line), "%s after %s without a connection%s%s%s", idle_action_name(i->idle_action),
		 i->idle_timeout, i->warm_for ? ", after several " : "", i->warm_for ? i->warm_for : "",
		 i->keep_running ? ", unless it ran before" : "");
	print_line("Idle", line);
	for (char **s = i->schedule; s && *s; s++)
		print_line(s == i->schedule ? "Kept warm" : "", *s);
	print_clients(i);
	if (i->startup_timeout)
		print_others(i);
	if (i->legacy)
		print_line("Note", "made by the original tool; 'sockwake create --force' takes it over");
}

static void print_wake(const struct stats *s)
{
	char line[512], span[TEXT_MAX];
	uint64_t usec;
	size_t len;

	if (!whole_wake(s, &usec))
		return;
	len = (size_t)snprintf(line, sizeof(line), "%s in all", text_span(usec, span));
	for (size_t k = 0; k < N_PARTS && len < sizeof(line); k++) {
		if (part_took(s, k, &usec))
			len += (size_t)snprintf(line + len, sizeof(line) - len, "%s %s %s", k ? "," : ":",
						parts[k].title, text_span(usec, span));
	}
	print_line("Last wake", line);
}

static void print_statistics(const struct observation *o)
{
	const struct stats *s = &o->stats;
	char line[256], to[TEXT_MAX], from[TEXT_MAX];

	if (!o->have_stats)
		return;
	snprintf(line, sizeof(line), "%" PRIu64 " now, %" PRIu64 " in the %s wake, %" PRIu64 " of them failed%s",
		 observation_connections(o), s->connections_total + s->flows_total,
		 o->state == STATE_AWAKE ? "current" : "last", s->connections_failed,
		 s->flags & STATS_FULL ? " (full: new ones wait)" : "");
	print_line("Connections", line);
	snprintf(line, sizeof(line), "%s to the container, %s from it", text_bytes(s->bytes_to_container, to),
		 text_bytes(s->bytes_from_container, from));
	print_line("Data", line);
	print_wake(s);
}

static void print_text(const struct observation *o, const char *note, const char *directory)
{
	const char *name = o->stored->instance.name;
	char line[PATH_MAX + 300];

	printf("%s\n", name);
	print_state(o);
	if (!o->stored->problem) {
		print_ports(&o->stored->instance);
		if (!o->stored->instance.legacy)
			print_appearance(&o->stored->instance);
		print_container(o);
		if (*note)
			print_line("Note", note);
		print_statistics(o);
	}
	snprintf(line, sizeof(line), "%s/%s" SOCKET_SUFFIX, directory, name);
	print_line("Units", line);
	snprintf(line, sizeof(line), "%s/%s" SERVICE_SUFFIX, directory, name);
	print_line("", line);
	if (o->stored->instance.schedule) {
		snprintf(line, sizeof(line), "%s/%s" TIMER_SUFFIX, directory, name);
		print_line("", line);
	}
}

static int show(const struct arguments *a, const char *directory, const struct stored *s, struct error *err)
{
	_cleanup_free_ struct observation *o = NULL;
	char surprise[WARNING_MAX];
	struct error trouble;

	if (observe(a->scope, &(struct stored_list){(struct stored *)s, 1}, &o, &trouble, err) < 0)
		return -1;
	if (trouble.text[0])
		note_print("%s", trouble.text);
	warning_find(o, surprise);
	if (a->json)
		return print_json(o, surprise, err);
	print_text(o, surprise, directory);
	return 0;
}

static const struct option_table table = {
	.usage = "sockwake status [--json] [--scope system|user] [NAME...]",
	.about =
		"Shows all about an instance: what it does, why it failed, where the time of a wake went; without NAME, the list",
	ARGUMENTS(TAKES_NAMES | TAKES_JSON),
};

/* Of none in particular: of all, in short. */
static int status(int argc, char *argv[], struct error *err)
{
	struct arguments a;

	if (arguments_parse(argc, argv, &table, &a, err) < 0)
		return -1;
	return a.names ? each_instance(&a, show, err) : list_command.run(argc, argv, err);
}

const struct command status_command = {"status", &table, status};
