#include "cli/wake_report.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/sheet.h"
#include "cli/text.h"
#include "common/clock.h"
#include "handover/stats_text.h"

/* A wait that began this long before the wake is told separately. */
#define BEFORE_MIN (500 * USEC_PER_MSEC)

/* The parts of a wake, in the order in which they happen: each ends at the time in this member. */
static const struct part {
	const char *key;   /* in JSON */
	const char *title; /* for people */
	size_t end;
} parts[] = {
	{"load", "loading", offsetof(struct stats, t_main)},
	{"with", "dependencies", offsetof(struct stats, t_dependencies)},
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

/* The duration of a part. False: the wake did not get that far or does not have the part, or the file is
 * inconsistent. */
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

/* CLOCK_REALTIME at a point of the wake's CLOCK_MONOTONIC. */
static uint64_t wall_at(const struct stats *s, uint64_t usec)
{
	return s->wake_wall + usec - s->t_main; /* unsigned arithmetic: the result is right for earlier points, too */
}

/* How long the client waited for the server, or has waited until now. */
static uint64_t waited(const struct stats *s, bool wakes)
{
	uint64_t end = s->t_accepting ? s->t_accepting : wakes ? now_usec() : s->t_client;

	return end > s->t_client ? end - s->t_client : 0;
}

static bool was_refused(const struct stats *s, bool wakes)
{
	return (!s->t_accepting && !wakes) || (s->startup_timeout && waited(s, wakes) > s->startup_timeout);
}

static void describe_wait(const struct stats *s, bool wakes, char *ret, size_t size)
{
	uint64_t before = s->t_spawned > s->t_client ? s->t_spawned - s->t_client : 0;
	char span[TEXT_MAX], early[TEXT_MAX];

	text_took(waited(s, wakes), span);
	if (was_refused(s, wakes) && waited(s, wakes) > s->startup_timeout)
		snprintf(ret, size, ", refused after %s (--startup-timeout)", text_span(s->startup_timeout, span));
	else if (was_refused(s, wakes))
		snprintf(ret, size, ", refused");
	else if (!s->t_accepting)
		snprintf(ret, size, ", has waited %s", span);
	else if (before >= BEFORE_MIN)
		snprintf(ret, size, ", waited %s, %s of it before this wake began", span, text_took(before, early));
	else
		snprintf(ret, size, ", waited %s", span);
}

static const char *describe_other(const struct stats *s)
{
	switch (s->woken_by) {
	case STATS_BY_CLIENT:
		return "a client that has left";
	case STATS_BY_LOCAL_CLIENT:
		return "a client on a Unix socket";
	case STATS_BY_SCHEDULE:
		return "its schedule";
	case STATS_BY_START:
		return s->flags & STATS_FOUND_RUNNING ? "nobody, the container ran already"
						      : "a start of its service, as by 'sockwake wake'";
	case STATS_BY_CONTAINER:
		return "nobody, the container ended and runs again";
	default:
		return NULL;
	}
}

static void print_waker(const struct terminal *t, const struct stats *s, bool wakes)
{
	char client[STATS_CLIENT_MAX], when[TEXT_MAX], wait[TEXT_MAX * 3] = "", line[512];
	const char *who = *stats_text_client(s, client) ? client : describe_other(s);

	if (!who || !s->wake_wall)
		return;
	if (s->t_client)
		describe_wait(s, wakes, wait, sizeof(wait));
	text_time(wall_at(s, s->t_client ? s->t_client : s->t_main), wall_usec(), when);
	snprintf(line, sizeof(line), "%s at %s%s", who, when, wait);
	sheet_line(t, "Woken by", line);
}

static void print_parts(const struct terminal *t, const struct stats *s)
{
	char line[512], span[TEXT_MAX];
	uint64_t usec;
	size_t len;

	if (!whole_wake(s, &usec))
		return;
	len = (size_t)snprintf(line, sizeof(line), "%s in all", text_took(usec, span));
	for (size_t k = 0; k < N_PARTS && len < sizeof(line); k++) {
		if (part_took(s, k, &usec))
			len += (size_t)snprintf(line + len, sizeof(line) - len, "%s %s %s", k ? "," : ":",
						parts[k].title, text_took(usec, span));
	}
	sheet_line(t, "Last wake", line);
}

void wake_report_print(const struct terminal *t, const struct observation *o)
{
	print_waker(t, &o->stats, o->state == STATE_WAKING);
	print_parts(t, &o->stats);
}

static void waker_to_json(const struct stats *s, cJSON *object)
{
	static const char *const kinds[] = {
		[STATS_BY_CLIENT] = "client",	    [STATS_BY_LOCAL_CLIENT] = "local client",
		[STATS_BY_SCHEDULE] = "schedule",   [STATS_BY_START] = "start",
		[STATS_BY_CONTAINER] = "container",
	};
	char client[STATS_CLIENT_MAX];
	cJSON *by;

	if (s->woken_by == STATS_BY_UNKNOWN || s->woken_by >= sizeof(kinds) / sizeof(*kinds)) {
		cJSON_AddNullToObject(object, "woken_by");
		return;
	}
	by = cJSON_AddObjectToObject(object, "woken_by");
	cJSON_AddStringToObject(by, "kind", kinds[s->woken_by]);
	if (s->woken_by == STATS_BY_CLIENT && *stats_text_client(s, client))
		cJSON_AddStringToObject(by, "address", client);
	if (!s->t_client)
		return;
	cJSON_AddNumberToObject(by, "at", (double)wall_at(s, s->t_client) / (double)USEC_PER_SEC);
	if (s->t_accepting)
		cJSON_AddNumberToObject(by, "waited_ms", (double)waited(s, false) / (double)USEC_PER_MSEC);
}

void wake_report_to_json(const struct stats *s, cJSON *object)
{
	cJSON *wake = cJSON_AddObjectToObject(object, "last_wake_ms");
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
	waker_to_json(s, object);
}
