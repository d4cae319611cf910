#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/overview.h"
#include "cli/sheet.h"
#include "cli/sign.h"
#include "cli/text.h"
#include "cli/told.h"
#include "cli/wake_report.h"
#include "common/clock.h"
#include "control/find.h"
#include "control/no_effect.h"
#include "control/note.h"
#include "control/observation_json.h"
#include "control/observe_some.h"
#include "control/outlook.h"
#include "control/warning.h"
#include "handover/channel.h"
#include "instance/dependency.h"
#include "units/paths.h"

static cJSON *statistics_to_json(const struct stats *s)
{
	cJSON *object = cJSON_CreateObject();

	wake_report_to_json(s, object);
	cJSON_AddNumberToObject(object, "last_wake", (double)s->wake_wall / (double)USEC_PER_SEC);
	cJSON_AddNumberToObject(object, "wakes", (double)s->wakes);
	cJSON_AddBoolToObject(object, "found_running", (s->flags & STATS_FOUND_RUNNING) != 0);
	cJSON_AddBoolToObject(object, "full", (s->flags & STATS_FULL) != 0);
	cJSON_AddNumberToObject(object, "connections_total", (double)s->connections_total);
	cJSON_AddNumberToObject(object, "connections_failed", (double)s->connections_failed);
	if (s->refused)
		cJSON_AddNumberToObject(object, "refused_port", s->refused);
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

static void describe_since(const struct observation *o, char *ret, size_t size)
{
	uint64_t limit = outlook_span(o->stored->instance.startup_timeout);
	const char *name = observe_state_name(o->state);
	char since[TEXT_MAX], of[TEXT_MAX];

	text_since(o->since_usec, since);
	if (!o->since_usec)
		snprintf(ret, size, "%s", name);
	else if (o->state == STATE_FAILED)
		snprintf(ret, size, "%s %s ago", name, since);
	else if (o->state == STATE_WAKING && limit != USEC_INFINITY && o->since_usec + limit > wall_usec())
		snprintf(ret, size, "%s for %s of %s", name, since, text_span(limit, of));
	else
		snprintf(ret, size, "%s for %s", name, since);
}

/* Prints the state in one line; the rest explains it. */
static void print_state(const struct terminal *t, const struct observation *o)
{
	const char *colour = sign_colour(o->state, t), *plain = *colour ? TERMINAL_PLAIN : "";
	char line[TEXT_MAX * 3], span[TEXT_MAX];
	uint64_t now = wall_usec();

	describe_since(o, line, sizeof(line));
	printf("%s%s%s %s %s %s%s%s", colour, sign_text(o->state, t), plain, o->stored->instance.name,
	       t->utf8 ? "–" : "-", colour, line, plain);
	if (o->sleeps_at)
		printf(", sleeps in %s if nobody connects",
		       text_span(o->sleeps_at > now + USEC_PER_SEC ? o->sleeps_at - now : USEC_PER_SEC, span));
	putchar('\n');
	if (o->reason[0])
		sheet_line(t, "Reason", o->reason);
	if (!o->held_until)
		return;
	if (o->held_always)
		snprintf(line, sizeof(line), "always awake, by its schedule");
	else
		snprintf(line, sizeof(line), "awake until %s", text_until(o->held_until, span));
	sheet_line(t, "Held", line);
}

static void print_dependencies(const struct terminal *t, const struct observation *o)
{
	const struct instance *i = &o->stored->instance;
	char text[DEPENDENCY_TEXT_MAX], line[DEPENDENCY_TEXT_MAX + 320];

	for (size_t k = 0; k < i->n_dependencies; k++) {
		const struct dependency *d = &i->dependencies[k];

		snprintf(line, sizeof(line), "%s: %s%s%s", dependency_format(d, text), overview_dependency_word(o, k),
			 d->unit ? ", run by " : "", d->unit ? d->unit : "");
		sheet_line(t, k ? "" : "After", line);
	}
}

static bool is_current(enum state state)
{
	return state == STATE_WAKING || state == STATE_AWAKE || state == STATE_STOPPING;
}

/* Before the keeper has begun a wake, the figures are those of the last one. */
static bool is_fresh(const struct observation *o)
{
	return o->state != STATE_WAKING || o->stats.flags & STATS_AWAKE;
}

static void print_idle(const struct terminal *t, const struct observation *o)
{
	const struct instance *i = &o->stored->instance;
	bool runs_as_before = o->have_stats && is_current(o->state) && is_fresh(o) && outlook_is_older(i, &o->stats);
	bool warms = no_effect_warms(i);
	char line[1024];

	snprintf(line, sizeof(line), "%s after %s without a connection%s%s%s%s", idle_action_name(i->idle_action),
		 i->idle_timeout, warms ? ", after several " : "", warms ? i->warm_for : "",
		 i->keep_running ? ", unless it ran before" : "",
		 runs_as_before ? " (changed: from the next wake on)" : "");
	sheet_line(t, "Idle", line);
}

static void print_container(const struct terminal *t, const struct observation *o)
{
	const struct instance *i = &o->stored->instance;
	char line[1024];

	snprintf(line, sizeof(line), "%s (%s): %s", i->container_name, backend_kind_name(i->backend),
		 overview_container_word(o));
	sheet_line(t, "Container", line);
	if (overview_is_kept_running(o)) {
		snprintf(line, sizeof(line), "running by '%s', which is not asleep", o->attended_by);
		sheet_line(t, "Kept", line);
	}
	if (i->unit)
		sheet_line(t, "Run by", i->unit);
	sheet_line(t, "Ready when", i->health_check);
	print_dependencies(t, o);
	print_idle(t, o);
	told_print(t, i);
	if (o->changed && is_current(o->state))
		sheet_line(t, "Changed", "since it woke: what is new counts from the next wake on");
	if (i->legacy)
		sheet_line(t, "Note", "made by the original tool; 'sockwake create --force' takes it over");
}

/* A wake that never got as far as its server counts nobody, not even those whom it refused. */
static bool has_served(const struct observation *o)
{
	const struct stats *s = &o->stats;

	return s->t_accepting || observation_connections(o) || s->connections_total + s->flows_total ||
	       s->connections_failed;
}

static void print_traffic(const struct terminal *t, const struct observation *o)
{
	const struct stats *s = &o->stats;
	char line[320], to[TEXT_MAX], from[TEXT_MAX], refused[CHANNEL_REFUSED_MAX] = "";

	if (s->refused)
		(void)channel_refused(s->refused, s->listening, STATS_LISTENING, refused);
	snprintf(line, sizeof(line), "%" PRIu64 " now, %" PRIu64 " in the %s wake, %" PRIu64 " failed%s%s%s",
		 observation_connections(o), s->connections_total + s->flows_total,
		 is_current(o->state) ? "current" : "last", s->connections_failed, refused[0] ? ": " : "", refused,
		 s->flags & STATS_FULL ? " (full: new ones wait)" : "");
	sheet_line(t, "Connections", line);
	snprintf(line, sizeof(line), "%s to the container, %s from it", text_bytes(s->bytes_to_container, to),
		 text_bytes(s->bytes_from_container, from));
	sheet_line(t, "Data", line);
}

static void print_statistics(const struct terminal *t, const struct observation *o)
{
	char line[256];

	if (o->phase[0])
		sheet_line(t, "Phase", o->phase);
	if (o->waiting) {
		snprintf(line, sizeof(line), "%" PRIu64 " client%s", o->waiting, o->waiting == 1 ? "" : "s");
		sheet_line(t, "Waiting", line);
	}
	if (!o->have_stats || !is_fresh(o))
		return;
	if (o->state == STATE_WAKING) {
		wake_report_print(t, o);
		return;
	}
	if (has_served(o))
		print_traffic(t, o);
	wake_report_print(t, o);
}

static void print_text(const struct terminal *t, const struct observation *o, const char *note, const char *directory)
{
	const char *name = o->stored->instance.name;
	char line[PATH_MAX + 300];

	print_state(t, o);
	if (!o->stored->problem) {
		told_print_ports(t, &o->stored->instance);
		print_container(t, o);
		if (*note)
			sheet_line(t, "Note", note);
		print_statistics(t, o);
	}
	snprintf(line, sizeof(line), "%s/%s" SOCKET_SUFFIX, directory, name);
	sheet_line(t, "Units", line);
	snprintf(line, sizeof(line), "%s/%s" SERVICE_SUFFIX, directory, name);
	sheet_line(t, "", line);
	if (o->stored->instance.schedule) {
		snprintf(line, sizeof(line), "%s/%s" TIMER_SUFFIX, directory, name);
		sheet_line(t, "", line);
	}
}

static int show(const struct arguments *a, const struct terminal *t, const char *directory, const struct observation *o,
		struct error *err)
{
	char warning[WARNING_MAX];

	warning_find(o, warning);
	if (a->json)
		return print_json(o, warning, err);
	print_text(t, o, warning, directory);
	return 0;
}

static int show_named(const struct arguments *a, struct error *err)
{
	_cleanup_stored_list_ struct stored_list named = {};
	_cleanup_free_ struct observation *os = NULL;
	char directory[PATH_MAX];
	struct error trouble;
	struct terminal t;

	if (find_instances(a->scope, a->names, directory, &named, err) < 0 ||
	    observe_some(a->scope, directory, &named, &os, &trouble, err) < 0)
		return -1;
	if (trouble.text[0])
		note_print("%s", trouble.text);
	t = terminal_look(STDOUT_FILENO);
	for (size_t k = 0; k < named.n; k++) {
		if (show(a, &t, directory, &os[k], err) < 0)
			return -1;
	}
	return 0;
}

static const struct option_table table = {
	.usage = "sockwake status [--json] [--scope system|user] [NAME...]",
	.about =
		"Shows all about an instance: what it does, why it failed, where the time of a wake went; without NAME, the list",
	ARGUMENTS(TAKES_NAMES | TAKES_JSON),
};

/* Without a name: all instances, in short. */
static int status(int argc, char *argv[], struct error *err)
{
	struct arguments a;

	if (arguments_parse(argc, argv, &table, &a, err) < 0)
		return -1;
	return a.names ? show_named(&a, err) : list_command.run(argc, argv, err);
}

const struct command status_command = {"status", &table, status};
