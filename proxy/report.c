#include "proxy/report.h"

#include <stdio.h>
#include <string.h>

#include "common/channel.h"
#include "common/clock.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/stats_text.h"
#include "proxy/worker.h"

/* So often at most the service manager gets a text, and the keeper a hint to look at what was counted. */
#define STATUS_USEC USEC_PER_SEC
#define HINT_USEC   (10 * USEC_PER_MSEC)

static uint64_t counter(const struct service *s, unsigned worker, size_t offset)
{
	return count_get((const _Atomic uint64_t *)(const void *)((const char *)&s->workers[worker].counters + offset));
}

static uint64_t sum(const struct service *s, size_t offset)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < s->n_workers; i++)
		total += counter(s, i, offset);
	return total;
}

static uint64_t latest(const struct service *s, size_t offset)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < s->n_workers; i++) {
		uint64_t t = counter(s, i, offset);

		last = t > last ? t : last;
	}
	return last;
}

#define SUM(s, field)	 sum(s, offsetof(struct counters, field))
#define LATEST(s, field) latest(s, offsetof(struct counters, field))

uint64_t service_connections(const struct service *s)
{
	return SUM(s, connections);
}

uint64_t service_holding(const struct service *s)
{
	return SUM(s, holding);
}

uint64_t service_holders(const struct service *s)
{
	return SUM(s, holders);
}

uint64_t service_silent(const struct service *s)
{
	uint64_t silent = SUM(s, silent);

	atomic_thread_fence(memory_order_acquire); /* as connection_speaks() */
	return silent;
}

uint64_t service_last_activity(const struct service *s)
{
	return LATEST(s, last_activity);
}

uint64_t service_last_silent(const struct service *s)
{
	return LATEST(s, last_silent);
}

static void store(uint64_t *field, uint64_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELAXED);
}

static void write_statistics(const struct service *s)
{
	struct stats *stats = s->stats;

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
	const struct stats *s = r->service->stats;
	char text[STATS_TEXT_MAX];

	if (r->service->has_keeper)
		notify_send(r->service->notify_fd, "%sCOUNTED=1", first);
	else
		notify_send(r->service->notify_fd, "%sSTATUS=%s", first, stats_text(s, now - r->since, text));
	r->told = *s;
	r->last = now;
}

static void status_fired(struct loop *loop, struct timer *timer)
{
	struct report *r = container_of(timer, struct report, timer);

	atomic_store(&r->service->changed, false);
	write_statistics(r->service);
	send_status(r, "", loop->now);
}

void report_ready(struct report *report, struct service *service, struct loop *loop)
{
	*report = (struct report){.service = service, .since = loop->now};
	timer_add(loop, &report->timer, status_fired);
	write_statistics(service);
	send_status(report, "READY=1\n", loop->now);
	if (service->has_keeper)
		report->last = 0; /* the first client is news at once */
}

void report_update(struct report *report, struct loop *loop)
{
	bool planned = report->timer.when != USEC_INFINITY;

	/* Other workers tell of changes once until this is false again. Where there is nothing to say after all, no timer
	 * comes to do that; and what changes from here on is told anew. */
	if (!planned)
		atomic_store(&report->service->changed, false);
	write_statistics(report->service);
	if (planned || !changed(report->service->stats, &report->told))
		return;
	atomic_store(&report->service->changed, true);
	timer_set(loop, &report->timer, report->last + (report->service->has_keeper ? HINT_USEC : STATUS_USEC));
}

void report_stopping(struct report *report, const char *why)
{
	write_statistics(report->service);
	notify_send(report->service->notify_fd, "STOPPING=1\nSTATUS=%s", why);
}

void report_note(const struct service *service, const char *text)
{
	if (service->has_keeper)
		notify_send(service->notify_fd, "NOTE=%s", text);
	else
		log_line(LOG_NOTICE, "%s", text);
}

void report_unreachable(struct service *service, const struct target *target, int error)
{
	char address[TARGET_TEXT_MAX];

	if (atomic_flag_test_and_set(&service->said_unreachable))
		return;
	if (service->has_keeper)
		notify_send(service->notify_fd, "UNREACHABLE=%d", error);
	else
		log_line(LOG_NOTICE, CHANNEL_UNREACHABLE " at %s (%s)", target_text(target, address),
			 channel_unreachable_reason(error));
}

void report_anonymous(struct service *service)
{
	if (atomic_flag_test_and_set(&service->said_no_source))
		return;
	if (service->has_keeper)
		notify_send(service->notify_fd, "ANONYMOUS=1");
	else
		log_line(LOG_NOTICE, "%s", CHANNEL_ANONYMOUS);
}
