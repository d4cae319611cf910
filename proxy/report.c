#include "proxy/report.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/extremes.h"
#include "common/log.h"
#include "handover/channel.h"
#include "handover/listen.h"
#include "handover/stats_text.h"
#include "relay/worker.h"

/* The shortest time between two status texts to the service manager, and between two hints to the keeper to read the
 * figures. */
#define STATUS_USEC USEC_PER_SEC
#define HINT_USEC   (10 * USEC_PER_MSEC)

#define SUM(s, field) service_sum(s, offsetof(struct counters, field))

static void store(uint64_t *field, uint64_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELAXED);
}

static void write_statistics(const struct report *r)
{
	const struct service *s = r->service;
	struct stats *stats = r->stats;

	store(&stats->connections, SUM(s, connections));
	store(&stats->connections_total, SUM(s, connections_total));
	store(&stats->connections_failed, SUM(s, connections_failed));
	store(&stats->bytes_to_container, SUM(s, bytes[CLIENT]));
	store(&stats->bytes_from_container, SUM(s, bytes[TARGET]));
	store(&stats->flows, SUM(s, flows));
	store(&stats->flows_total, SUM(s, flows_total));
	store(&stats->datagrams_dropped, SUM(s, datagrams_dropped));
	store(&stats->t_last_activity, service_last_activity(s));
	store(&stats->flags, SUM(s, full) > 0 ? stats->flags | STATS_FULL : stats->flags & ~(uint64_t)STATS_FULL);
}

static bool changed(const struct stats *a, const struct stats *b)
{
	return a->connections != b->connections || a->connections_total != b->connections_total ||
	       a->connections_failed != b->connections_failed || a->bytes_to_container != b->bytes_to_container ||
	       a->bytes_from_container != b->bytes_from_container || a->flows != b->flows ||
	       a->flows_total != b->flows_total || a->datagrams_dropped != b->datagrams_dropped || a->flags != b->flags;
}

static void send_status(struct report *r, const char *first, uint64_t now)
{
	const struct stats *s = r->stats;
	char text[STATS_TEXT_MAX];

	if (r->has_keeper)
		notify_send(r->notify_fd, "%sCOUNTED=1", first);
	else
		notify_send(r->notify_fd, "%sSTATUS=%s", first, stats_text(s, beyond(now, r->since), text));
	r->told = *s;
	r->last = now;
}

static void status_fired(struct loop *loop, struct timer *timer)
{
	struct report *r = container_of(timer, struct report, timer);

	atomic_store(&r->service->changed, false);
	write_statistics(r);
	send_status(r, "", loop->now);
}

void report_ready(struct report *report, struct loop *loop)
{
	report->since = loop->now;
	timer_add(loop, &report->timer, status_fired);
	write_statistics(report);
	send_status(report, "READY=1\n", loop->now);
	if (report->has_keeper)
		report->last = 0; /* report the first client at once */
}

void report_update(struct report *report, struct loop *loop)
{
	bool planned = report->timer.when != USEC_INFINITY;

	/* Other workers report a change only once until this is false again. If there is nothing to report after all,
	 * no timer would reset it; a change after this is reported anew. */
	if (!planned)
		atomic_store(&report->service->changed, false);
	write_statistics(report);
	if (planned || !changed(report->stats, &report->told))
		return;
	atomic_store(&report->service->changed, true);
	timer_set(loop, &report->timer, report->last + (report->has_keeper ? HINT_USEC : STATUS_USEC));
}

void report_stopping(struct report *report, const char *why)
{
	write_statistics(report);
	notify_send(report->notify_fd, "STOPPING=1\nSTATUS=%s", why);
}

void report_note(const struct report *report, const char *text)
{
	if (report->has_keeper)
		notify_send(report->notify_fd, "NOTE=%s", text);
	else
		log_line(LOG_NOTICE, "%s", text);
}

void report_unreachable(const struct report *report, const struct target *target, uint16_t port, int error)
{
	const struct stats *s = report->stats;
	char text[CHANNEL_UNREACHABLE_MAX];

	if (target->addr.ss_family == AF_UNIX)
		port = 0;
	if (report->has_keeper)
		notify_send(report->notify_fd, "UNREACHABLE=%d\nPORT=%u", error, port);
	else
		log_line(LOG_NOTICE, "%s", channel_unreachable(port, error, s->listening, STATS_LISTENING, text));
}

void report_anonymous(const struct report *report)
{
	if (report->has_keeper)
		notify_send(report->notify_fd, "ANONYMOUS=1");
	else
		log_line(LOG_NOTICE, "%s", CHANNEL_ANONYMOUS);
}
