#include "cli/overview.h"

#include <errno.h>
#include <string.h>

#include "cli/sign.h"
#include "cli/table.h"
#include "cli/text.h"
#include "common/clock.h"
#include "common/wrap.h"
#include "control/outlook.h"
#include "control/schedule.h"
#include "control/unattended.h"
#include "control/warning.h"

enum { SIGN, NAME, LISTENS, STATE, CLIENTS, CONTAINER, COLUMNS };

static const struct table_column columns[COLUMNS] = {
	[SIGN] = {.title = ""},
	[NAME] = {.title = "NAME", .most = 64},
	[LISTENS] = {.title = "LISTENS ON", .shrinks = true, .leaves = 3, .most = 96},
	[STATE] = {.title = "STATE"},
	[CLIENTS] = {.title = "CLIENTS", .right = true, .leaves = 2},
	[CONTAINER] = {.title = "CONTAINER", .shrinks = true, .leaves = 1, .most = 96},
};

#define PORTS_SHOWN 2 /* `status` has all */

struct row {
	char listens[(PUBLISH_TEXT_MAX + 16) * PORTS_SHOWN];
	char state[TEXT_MAX * 2 + 32];
	char clients[64];
	char container[320];
};

static const char *word(const char *state, const char *unit)
{
	return unit && strcmp(state, "missing") == 0 ? "off" : state;
}

const char *overview_container_word(const struct observation *o)
{
	return unattended_is(o) ? "running, unattended" : word(o->container_state, o->stored->instance.unit);
}

const char *overview_dependency_word(const struct observation *o, size_t k)
{
	return word(o->dependency_states[k], o->stored->instance.dependencies[k].unit);
}

bool overview_is_kept_running(const struct observation *o)
{
	return o->attended_by[0] && (o->state == STATE_ASLEEP || o->state == STATE_FAILED) &&
	       strcmp(o->container_state, "running") == 0;
}

/* Only the address for clients: `status` also shows the target. */
static void write_port(const struct publish *p, char *ret, size_t size)
{
	if (p->path[0])
		snprintf(ret, size, "%s", p->path);
	else
		snprintf(ret, size, strchr(p->address, ':') ? "[%s]:%u%s" : "%s:%u%s", p->address, p->port,
			 p->type == SOCK_DGRAM ? "/udp" : "");
}

static void write_listens(const struct instance *i, char *ret, size_t size)
{
	size_t shown = i->n_ports > PORTS_SHOWN + 1 ? PORTS_SHOWN : i->n_ports, len = 0;
	char one[PUBLISH_TEXT_MAX];

	ret[0] = '\0';
	for (size_t k = 0; k < shown && len < size; k++) {
		write_port(&i->ports[k], one, sizeof(one));
		len += (size_t)snprintf(ret + len, size - len, "%s%s", k ? ", " : "", one);
	}
	if (shown < i->n_ports && len < size)
		snprintf(ret + len, size - len, ", %zu more", i->n_ports - shown);
}

static void write_waking(const struct observation *o, uint64_t since, char *ret, size_t size)
{
	uint64_t limit = outlook_span(o->stored->instance.startup_timeout);
	char is[TEXT_MAX], of[TEXT_MAX];

	text_span_briefly(since, is);
	if (limit == USEC_INFINITY)
		snprintf(ret, size, "waking %s", is);
	else if (since > limit)
		snprintf(ret, size, "waking %s, overdue", is);
	else
		snprintf(ret, size, "waking %s of %s", is, text_span_briefly(limit, of));
}

static void write_awake(const struct observation *o, uint64_t now, const char *since, char *ret, size_t size)
{
	char text[TEXT_MAX];

	if (o->held_always)
		snprintf(ret, size, "awake, always");
	else if (o->held_until)
		snprintf(ret, size, "awake until %s", text_clock(o->held_until, now, text));
	else if (o->sleeps_at > now)
		snprintf(ret, size, "awake, sleeps in %s", text_span_briefly(o->sleeps_at - now, text));
	else if (o->sleeps_at)
		snprintf(ret, size, "awake, about to sleep");
	else
		snprintf(ret, size, "awake%s%s", *since ? " " : "", since);
}

static void write_state(const struct observation *o, uint64_t now, char *ret, size_t size)
{
	uint64_t since = o->since_usec && o->since_usec < now ? now - o->since_usec : 0;
	char text[TEXT_MAX] = "";

	if (o->since_usec)
		text_span_briefly(since, text);
	if (o->state == STATE_WAKING && *text)
		write_waking(o, since, ret, size);
	else if (o->state == STATE_AWAKE)
		write_awake(o, now, text, ret, size);
	else
		snprintf(ret, size, "%s%s%s%s", observe_state_name(o->state), *text ? " " : "", text,
			 *text && o->state == STATE_FAILED ? " ago" : "");
}

static void write_clients(const struct observation *o, char *ret, size_t size)
{
	unsigned long long open = observation_connections(o), waiting = o->waiting;

	if (open && waiting)
		snprintf(ret, size, "%llu, %llu waiting", open, waiting);
	else if (waiting)
		snprintf(ret, size, "%llu waiting", waiting);
	else if (o->somebody_waits)
		snprintf(ret, size, "waiting");
	else if (o->state == STATE_AWAKE || open)
		snprintf(ret, size, "%llu", open);
	else
		snprintf(ret, size, "-");
}

static void fill_row(const struct observation *o, const struct terminal *t, uint64_t now, struct row *row,
		     struct table_cell *cells)
{
	const struct instance *i = &o->stored->instance;
	const char *colour = sign_colour(o->state, t);

	colour = *colour ? colour : NULL;
	write_listens(i, row->listens, sizeof(row->listens));
	write_state(o, now, row->state, sizeof(row->state));
	write_clients(o, row->clients, sizeof(row->clients));
	if (i->container_name)
		snprintf(row->container, sizeof(row->container), "%s %s", i->container_name,
			 overview_container_word(o));
	cells[SIGN] = (struct table_cell){sign_text(o->state, t), colour};
	cells[NAME] = (struct table_cell){i->name, NULL};
	cells[LISTENS] = (struct table_cell){row->listens, NULL};
	cells[STATE] = (struct table_cell){row->state, colour};
	cells[CLIENTS] = (struct table_cell){row->clients, NULL};
	cells[CONTAINER] = (struct table_cell){row->container, NULL};
}

static int print_table(FILE *to, const struct observation *os, size_t n, const struct terminal *t, uint64_t now,
		       struct error *err)
{
	_cleanup_free_ struct row *rows = calloc(n, sizeof(*rows));
	_cleanup_free_ struct table_cell *cells = calloc(n, COLUMNS * sizeof(*cells));
	_cleanup_free_ char *text = NULL;

	if (!rows || !cells)
		return error_errno(err, ENOMEM, "cannot print the instances");
	for (size_t k = 0; k < n; k++)
		fill_row(&os[k], t, now, &rows[k], cells + k * COLUMNS);
	text = table_format(columns, COLUMNS, cells, n, t, err);
	if (!text)
		return -1;
	fputs(text, to);
	return 0;
}

static void print_note(FILE *to, const struct observation *o, const struct terminal *t, const char *note)
{
	const char *name = o->stored->instance.name;
	size_t indent = (size_t)fprintf(to, "%s: ", name);

	wrap_text(to, note, indent, indent < t->width / 2 ? t->width : 0);
}

/* Prints remarks below the table. */
static void print_notes(FILE *to, const struct observation *o, const struct terminal *t)
{
	char note[HIDDEN_MAX], schedule[256];

	if (o->reason[0])
		print_note(to, o, t, o->reason);
	if (overview_is_kept_running(o)) {
		snprintf(note, sizeof(note), "'%s' keeps its container running", o->attended_by);
		print_note(to, o, t, note);
	}
	if (o->hides[0]) {
		warning_describe_hidden(&o->stored->instance, o->hides, note);
		print_note(to, o, t, note);
	}
	if (o->conflict[0])
		print_note(to, o, t, o->conflict);
	schedule_format(&o->stored->instance, schedule, sizeof(schedule));
	if (*schedule) {
		snprintf(note, sizeof(note), "kept warm %s", schedule);
		print_note(to, o, t, note);
	}
}

static void print_count(FILE *to, const struct observation *os, size_t n)
{
	static const enum state order[] = {STATE_AWAKE,	 STATE_WAKING, STATE_STOPPING, STATE_ASLEEP,
					   STATE_FAILED, STATE_OFF,    STATE_UNKNOWN};
	const char *separator = ":";

	fprintf(to, "%zu instance%s", n, n == 1 ? "" : "s");
	for (size_t k = 0; k < sizeof(order) / sizeof(*order); k++) {
		size_t count = 0;

		for (size_t m = 0; m < n; m++)
			count += os[m].state == order[k];
		if (count) {
			fprintf(to, "%s %zu %s", separator, count, observe_state_name(order[k]));
			separator = ",";
		}
	}
	fputc('\n', to);
}

int overview_print(FILE *to, const struct observation *os, size_t n, const struct terminal *t, uint64_t now,
		   struct error *err)
{
	if (print_table(to, os, n, t, now, err) < 0)
		return -1;
	for (size_t k = 0; k < n; k++)
		print_notes(to, &os[k], t);
	print_count(to, os, n);
	return 0;
}
