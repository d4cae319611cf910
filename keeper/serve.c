#include "keeper/serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/extremes.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/stack.h"
#include "handover/listen.h"
#include "handover/stats_text.h"
#include "keeper/admit.h"
#include "keeper/overdue.h"
#include "keeper/say.h"
#include "keeper/tasks.h"

#define TRAFFIC_PERIOD USEC_PER_SEC /* between two reports to the service manager */

/* A proxy that ends this often within this time, and leaves clients waiting, will not recover. */
#define CRASHES	     5
#define CRASH_PERIOD (10 * USEC_PER_SEC)

#define NOTIFY_START_LIMIT (5 * USEC_PER_SEC)

/* A proxy ends by itself when its drain time-out is over: this one, unless its options say otherwise
 * (proxy/options.c). */
#define DEFAULT_DRAIN (10 * USEC_PER_SEC)
#define STOP_GRACE    (2 * USEC_PER_SEC)

static int start_relay(struct keeper *k, uint64_t deadline, struct error *err)
{
	char accepted[QUEUE_TEXT_MAX];
	struct inheritance i = {.listeners = k->queue.n, .no_files = true};

	inherit_deadline(&i, deadline);
	inherit_fd(&i, VARIABLE_PIDFD, k->pidfd);
	inherit_fd(&i, VARIABLE_STATS, k->record.memory);
	inherit_fd(&i, VARIABLE_HOLD, k->record.file_to_read);
	inherit_fd(&i, VARIABLE_EXEC, k->proxy.fd);
	i.accepted = queue_accepted_text(&k->queue, accepted);
	for (size_t n = 0; n < k->queue.n_accepted; n++)
		inherit_open(&i, k->queue.accepted[n].fd);
	k->ready = k->stopping = false;
	k->awaited[0] = k->hint[0] = '\0';
	k->futile = false;
	k->failed[0] = '\0';
	if (child_start(&k->relay, &k->nshelper, k->options.nshelper, &i, err) < 0)
		return -1;
	log_debug("has started nshelper, which becomes the proxy, as process %d", k->relay.pid);
	return 0;
}

/* Has a client reached the proxy? The proxy is trusted with figures only. */
static bool is_used(const struct keeper *k)
{
	return k->record.own.connections_total || k->record.own.flows_total;
}

static void take_traffic(struct keeper *k)
{
	bool was_used = is_used(k);

	record_take_traffic(&k->record);
	if (!was_used && is_used(k))
		log_debug("the first client is served");
	record_write(&k->record);
	k->counted = false;
	k->untold = true;
}

static void report_traffic(struct keeper *k, const char *first)
{
	char text[STATS_TEXT_MAX];

	take_traffic(k);
	k->untold = false;
	notify_send(k->notify_fd, "%sSTATUS=%s", first,
		    stats_text(&k->record.own, time_since(k->record.own.t_accepting), text));
}

static void became_ready(struct keeper *k)
{
	overdue_ready(k);
	/* These clients are served; the refused ones may connect again. */
	queue_forget_accepted(&k->queue);
	k->queue.since = USEC_INFINITY;
	k->record.own.t_waiting = 0;
	if (!k->record.own.t_accepting) /* keep the time of the first proxy */
		k->record.own.t_accepting = now_usec();
	log_debug("the proxy is confined and accepts: says READY=1");
	report_traffic(k, "READY=1\n");
	stack_trim(); /* a wake needs more of it than waiting does */
}

/* While the proxy accepts, clients wait only if it lacks descriptors. */
static bool clients_wait(const struct keeper *k)
{
	return !k->ready || k->told_to_stop || (k->record.own.flags & STATS_FULL);
}

/* When each of these is due. */
struct times {
	uint64_t report;   /* next traffic report allowed */
	uint64_t limit;	   /* a proxy that is not ready has failed */
	uint64_t notifier; /* kill the notifier */
	uint64_t orphan;   /* kill a proxy that has not noticed the end of its container */
	uint64_t told;	   /* kill a proxy that was told to stop and does not */
};

static uint64_t next_time(const struct keeper *k, const struct times *t)
{
	uint64_t until = least_of(t->notifier, least_of(t->orphan, t->told));

	if (!k->ready)
		until = least_of(until, least_of(t->limit, time_from_now(KEEPER_PERIOD)));
	else if (k->untold && !k->stopping)
		until = least_of(until, t->report);
	return until;
}

static void begin_service(struct keeper *k, struct times *t)
{
	became_ready(k);
	task_notify(k, "started");
	t->notifier = time_from_now(NOTIFY_START_LIMIT);
	t->report = time_from_now(TRAFFIC_PERIOD);
}

static void look_at_times(struct keeper *k, struct times *t)
{
	if (!k->ready && time_is_over(t->limit)) { /* the proxy keeps the time itself, unless it hangs */
		snprintf(k->failed, sizeof(k->failed),
			 "the container was not ready in time, and the proxy does not say why");
		child_signal(&k->relay, SIGKILL);
	}
	if (k->ready && k->counted)
		take_traffic(k);
	if (k->ready && k->untold && !k->stopping && time_is_over(t->report)) {
		report_traffic(k, "");
		t->report = time_from_now(TRAFFIC_PERIOD);
	}
	if (k->ended && t->orphan == USEC_INFINITY)
		t->orphan = time_from_now(KEEPER_GRACE);
	if (time_is_over(t->orphan)) {
		child_signal(&k->relay, SIGKILL);
		t->orphan = time_from_now(KEEPER_GRACE);
	}
	if (time_is_over(t->told)) {
		child_signal(&k->relay, SIGKILL);
		t->told = time_from_now(KEEPER_GRACE);
	}
	if (time_is_over(t->notifier)) {
		child_signal(&k->notifier, SIGKILL);
		t->notifier = USEC_INFINITY;
	}
}

/* How long a proxy may take to stop. Before it is ready, it has no connections to drain. */
static uint64_t time_to_stop(const struct keeper *k)
{
	uint64_t drain = DEFAULT_DRAIN;
	struct error ignored;

	if (!k->ready)
		return STOP_GRACE;
	for (char **word = k->options.proxy; word[0] && word[1]; word++) {
		if (strcmp(word[0], "--drain-timeout") == 0)
			(void)parse_duration("", word[1], &drain, &ignored);
	}
	return time_after(drain, STOP_GRACE);
}

/* Watches one proxy until it ends. */
static void relay(struct keeper *k, uint64_t deadline)
{
	struct times t = {.notifier = USEC_INFINITY, .orphan = USEC_INFINITY, .told = USEC_INFINITY};
	bool told = false, serves = false, drains = false;

	t.limit = time_after(deadline, KEEPER_GRACE);
	while (k->relay.pid) {
		keeper_wait(k, next_time(k, &t), clients_wait(k));
		if (k->ready && !serves) {
			begin_service(k, &t);
			serves = true;
		}
		if (k->told_to_stop && !told) {
			child_signal(&k->relay, SIGTERM);
			t.told = time_from_now(time_to_stop(k));
			told = true;
		}
		if (k->stopping && told && !drains) {
			notify_send(k->notify_fd,
				    "STOPPING=1\nSTATUS=Stopping: open connections are given some time to end");
			drains = true;
		}
		overdue_go_on(k);
		look_at_times(k, &t);
	}
	take_traffic(k);
}

/* Has the proxy ended for good? If not, its connections are lost, and another proxy takes over. */
static bool is_done(struct keeper *k, unsigned *crashes, uint64_t *since, struct error *err, int *r)
{
	char how[64], sentence[256];
	bool good;

	*r = 0;
	FAULT("proxy:ended");
	if (k->told_to_stop && !k->ready)
		*r = keeper_told_to_stop(k, err);
	if (k->told_to_stop || (k->ready && keeper_container_has_ended(k)))
		return true;
	good = child_result(&k->relay, how, sizeof(how)) == 0 && k->ready;
	if (good && !keeper_is_wanted(k)) { /* the last check: serve clients that arrived meanwhile */
		log_debug("is idle: nobody has used the container for %.1f ms",
			  log_took(k->record.own.t_last_activity));
		return true;
	}
	if (!k->ready && k->in_case[0] && keeper_container_is_ending(k)) {
		k->ended_early = true;
		*r = error_set(err, 0, "%s", k->in_case);
		return true;
	}
	if (!k->ready && k->failed[0] && k->limit && time_is_over(k->limit)) {
		*r = overdue_give_up(k, err);
		return true;
	}
	if (!k->ready && k->failed[0]) {
		*r = error_set(err, 0, "%s", k->failed);
		return true;
	}
	if (time_is_over(time_after(*since, CRASH_PERIOD))) {
		*since = now_usec();
		*crashes = 0;
	}
	if (++*crashes > CRASHES) {
		*r = error_set(err, 0, "the proxy %s again and again; 'journalctl' may say why", how);
		return true;
	}
	if (good)
		return false;
	snprintf(sentence, sizeof(sentence), "the proxy %s: its connections are lost, another one takes over", how);
	keeper_say(k, LOG_WARNING, sentence);
	return false;
}

/* When the next proxy must be ready: at the limit of the start, or one start-up time-out from now if that is later, for
 * a container that has served already or was started late. */
static uint64_t next_deadline(const struct keeper *k)
{
	return most_of(k->limit, time_from_now(k->options.startup_timeout));
}

int serve_stage(struct keeper *k, struct error *err)
{
	uint64_t since = now_usec();
	unsigned crashes = 0;
	int r;

	FAULT("serve:begins");
	do {
		uint64_t deadline = next_deadline(k);

		if (start_relay(k, deadline, err) < 0)
			return -1;
		relay(k, deadline);
	} while (!is_done(k, &crashes, &since, err, &r));
	return r;
}
