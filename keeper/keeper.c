/* Theory of operation.
 *
 * A keeper lives from the first connection until the container sleeps again. It owns what must survive the failure of
 * another program: the listening sockets, the locks, the statistics, the pidfd of the container, the notifications to
 * the service manager. It never reads a byte from a client or a container.
 *
 *	admit	checks which clients may wake the container, and resets the others.
 *	wake	`activator --wake` asks the engine, and hands over the pidfd and the locks.
 *	serve	`nshelper -- proxy` relays. A proxy that dies is replaced without a request to the engine.
 *	follow	only after the container has ended: `activator --follow` checks whether anybody restarts it.
 *	sleep	`activator --sleep`, repeated until it succeeds.
 *
 * If a stage fails, the keeper refuses the queue and goes on with sleep. After sleep it never wakes again: it ends, and
 * the service manager starts the next keeper if a client is waiting by then. Meanwhile no client waits longer than the
 * start-up time-out (queue.h).
 *
 * A start that takes longer than the start-up time-out is overdue (overdue.h): clients that have waited that long are
 * refused, with the reason. The stages wake and serve go on, and later clients have a time-out of their own. When the
 * server is ready, the proxy serves the clients that are waiting by then; without any, the instance is awake until its
 * idle time-out. A start fails at once if the container ends or the engine refuses to start it, and at its limit
 * otherwise.
 */
#include "keeper/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/signals.h"
#include "handover/exit.h"
#include "handover/listen.h"
#include "handover/refuse.h"
#include "handover/stats_text.h"
#include "keeper/admit.h"
#include "keeper/follow.h"
#include "keeper/overdue.h"
#include "keeper/say.h"
#include "keeper/serve.h"
#include "keeper/sleep.h"
#include "keeper/tasks.h"
#include "keeper/wake.h"

#define NOTIFY_LIMIT USEC_PER_SEC

/* When the kernel made this process: now minus its CPU time. That omits what it waited (for the disk, for a CPU), so
 * the result may be late. /proc/self/stat counts in hundredths of a second and would be early by up to 10 ms. */
static uint64_t spawn_time(uint64_t t_main)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) < 0)
		return t_main;
	return t_main - ((uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / NSEC_PER_USEC);
}

/* A time among the options of the proxy; 0: it is not there. */
static uint64_t proxy_span(const struct keeper *k, const char *option)
{
	struct error ignored;
	uint64_t usec = 0;

	for (char **word = k->options.proxy; word[0] && word[1]; word++) {
		if (strcmp(word[0], option) == 0)
			(void)parse_duration("", word[1], &usec, &ignored);
	}
	return usec;
}

/* Without a waiting client, a person or the timer has started the service. */
static uint64_t begun_by(const struct keeper *k)
{
	if (k->followed)
		return STATS_BY_CONTAINER;
	if (queue_waits(&k->queue))
		return STATS_BY_CLIENT;
	return getenv("TRIGGER_TIMER_REALTIME_USEC") ? STATS_BY_SCHEDULE : STATS_BY_START;
}

/* A new wake begins: resets all but the header, the number of wakes, the hold, and what is known about the server. */
static void begin_record(struct keeper *k)
{
	const struct keeper_options *o = &k->options;
	struct stats *s = &k->record.own;
	uint64_t wall = wall_usec();

	*s = (struct stats){
		.magic = s->magic,
		.version = s->version,
		.size = s->size,
		.wakes = s->wakes + 1,
		.wake_wall = wall,
		.t_spawned = spawn_time(k->began),
		.t_main = k->began,
		.flags = STATS_AWAKE | (s->flags & STATS_LOOPBACK),
		.held_until = s->held_until, /* a crash does not end the hold */
		.t_waiting = k->queue.since == USEC_INFINITY ? 0 : k->queue.since,
		.woken_by = begun_by(k),
		.idle_timeout = proxy_span(k, "--idle-timeout"),
		.warm_for = proxy_span(k, "--warm-for"),
		.startup_timeout = o->startup_timeout,
	};
	for (int i = 0; i < STATS_WINDOWS; wall = s->warm[i++].until)
		schedule_next(o->windows, o->n_windows, wall, &s->warm[i].from, &s->warm[i].until);
	record_share(&k->record);
	record_write(&k->record);
	log_wake(k->began);
}

/* While the service runs, its timer waits. When the service ends, the timer finds that it should have elapsed long ago,
 * and starts the service at once (systemd.timer(5) under DeferReactivation=, which older systemd does not have). Within
 * the schedule that is right; after it, such a start must not wake the container. */
static bool is_late(const struct keeper *k)
{
	uint64_t begin, end, now = wall_usec();

	if (k->options.n_windows == 0 || !getenv("TRIGGER_TIMER_REALTIME_USEC") ||
	    stats_held_until(&k->record.own, now))
		return false;
	schedule_next(k->options.windows, k->options.n_windows, now, &begin, &end);
	return begin > now;
}

/* Was the keeper before this one killed while the container was awake? */
static bool is_successor(const struct keeper *k)
{
	return k->record.own.flags & STATS_AWAKE;
}

/* Was that instance held awake without clients? */
static bool is_held(const struct keeper *k)
{
	return is_successor(k) && stats_held_until(&k->record.own, wall_usec()) && !k->told_to_stop;
}

static void note_asleep(struct keeper *k)
{
	k->record.own.flags &= ~(uint64_t)STATS_AWAKE;
	record_write(&k->record);
}

/* Ends without a wake. A service of Type=notify that ends before READY=1 has failed; this one has not. */
static int leave(struct keeper *k, uint64_t flag, const char *why)
{
	log_debug("wakes nothing: %s", why);
	if (is_successor(k) && sleep_stage(k) < 0)
		return EXIT_FAILURE;
	k->record.own.flags |= flag;
	note_asleep(k);
	notify_send(k->notify_fd, "READY=1\nSTATUS=%s", why);
	return EXIT_SUCCESS;
}

static int open_signals(struct keeper *k, struct error *err)
{
	sigset_t set = signals_to_end();

	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	k->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->signal_fd < 0 ? error_errno(err, errno, "cannot receive signals") : 0;
}

/* The keeper before this one may have left clients waiting. It would have reset them in time if it had lived. */
static uint64_t waiting_since(const struct keeper *k)
{
	uint64_t since = k->record.own.t_waiting, limit = time_after(k->options.startup_timeout, KEEPER_PERIOD);

	return since && since < k->began && k->began - since < limit ? since : k->began;
}

/* What this process and its children can need at once, clients apart. One that ran out of them in the middle could not
 * put to sleep what it has woken. */
#define DESCRIPTORS_LEAST 128U

static int check_descriptors(int listeners, struct error *err)
{
	rlim_t least = DESCRIPTORS_LEAST + (rlim_t)listeners;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= least)
		return 0;
	return error_set(err, EMFILE,
			 "the service may open %ju files, and needs at least %ju: raise LimitNOFILE=, or remove the "
			 "drop-in that sets it ('systemctl cat' of the service shows where)",
			 (uintmax_t)limit.rlim_cur, (uintmax_t)least);
}

static int open_all(struct keeper *k, struct error *err)
{
	const struct keeper_options *o = &k->options;
	struct error why;

	if (queue_open(&k->queue, o->startup_timeout, err) < 0 || check_descriptors(k->queue.n, err) < 0 ||
	    notify_connect(&k->notify_fd, err) < 0 || open_signals(k, err) < 0 ||
	    program_open(o->activator[0], &k->activator, err) < 0 ||
	    program_open(o->nshelper[0], &k->nshelper, err) < 0 || program_open(o->proxy[0], &k->proxy, err) < 0)
		return -1;
	record_open(o->name, &k->record, &why);
	if (why.text[0])
		keeper_say(k, LOG_NOTICE, why.text);
	if (queue_waits(&k->queue))
		k->queue.since = waiting_since(k);
	return 0;
}

/* Clients that connect until KEEPER_SHORTEST_LIFE is over would fail as well, again and again. */
static void outlive(struct keeper *k, const char *why)
{
	uint64_t until = time_after(k->began, KEEPER_SHORTEST_LIFE);

	while (!time_is_over(until) && !k->told_to_stop) {
		if (queue_waits(&k->queue))
			keeper_refuse(k, why);
		keeper_wait(k, time_from_now(KEEPER_ADMIT_PERIOD), false);
	}
}

static void end_service(struct keeper *k)
{
	const char *why = keeper_container_has_ended(k) ? "the container has ended"
			  : k->told_to_stop		? "told to stop"
							: "idle";
	char served[STATS_TEXT_MAX];

	notify_send(k->notify_fd, "STOPPING=1\nSTATUS=%s", why);
	log_line(LOG_INFO, "%s; %s", why, stats_text_served(k->record.own.connections_total, served));
	if (k->told_to_stop || !k->ended) /* if the container ended by itself, the next wake holds it again */
		record_end_hold(&k->record);
}

static int live(struct keeper *k, struct error *err)
{
	bool served;
	int r;

	for (;;) {
		r = wake_stage(k, err);
		if (r == 0)
			r = serve_stage(k, err);
		overdue_end(k);
		record_take_traffic(&k->record);
		record_write(&k->record);
		served = k->ready;
		if (!follow_stage(k))
			break;
		if (served) /* counts as a new wake: the figures belong to the run that has ended */
			begin_record(k);
	}
	if (r < 0 && k->ended_early) /* follow_stage() may have found out with which status */
		error_set(err, 0, "%s", k->in_case);
	k->wake_failed = r < 0 && !k->told_to_stop; /* a wake that was told to stop has not failed */
	FAULT("keeper:done");
	if (r < 0)
		keeper_refuse(k, err->text);
	else
		end_service(k);
	FAULT("sleep:begins");
	if ((k->touched || k->woken) && sleep_stage(k) < 0)
		return EXIT_FAILURE;
	note_asleep(k);
	if (r < 0) /* it is asleep now: that it was not for a while is no reason any more */
		notify_send(k->notify_fd, "STATUS=%s", err->text);
	if (k->wake_failed) {
		outlive(k, err->text);
		log_settle();
		return EXIT_REFUSED;
	}
	FAULT("keeper:asleep");
	task_notify(k, "stopped");
	task_end_notify(k, time_from_now(NOTIFY_LIMIT));
	return r < 0 ? EXIT_BROKEN_OFF : EXIT_SUCCESS;
}

int keeper_run(int argc, char **argv)
{
	static struct keeper k;
	struct error err;
	bool queued;

	k.notify_fd = k.signal_fd = k.pidfd = -1;
	k.deadline = USEC_INFINITY;
	k.began = k.extended = now_usec();
	k.waker = k.sleeper = k.notifier = NO_CHILD("the activator");
	k.relay = NO_CHILD("the proxy");
	signals_survive_file_limit();
	if (!log_begin("keeper"))
		log_line(LOG_WARNING, LOG_INVALID);
	log_wake(k.began);
	switch (keeper_options_parse(argc, argv, &k.options, &err)) {
	case OPTIONS_DONE:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		(void)refuse_queue(&err);
		return EXIT_USAGE;
	case OPTIONS_RUN:
		break;
	}
	if (open_all(&k, &err) < 0) {
		(void)refuse_queue(&err);
		outlive(&k, "");
		return EXIT_REFUSED;
	}
	queued = queue_waits(&k.queue);
	log_debug("begins with %d listening socket%s; %s", k.queue.n, k.queue.n == 1 ? "" : "s",
		  queued ? "somebody waits there" : "nobody waits there: a person or a timer has started the service");
	/* Without a waiting client, a person or the timer has started the service, or systemd after a keeper was
	 * killed. */
	if (queued && !admit_stage(&k) && !is_held(&k))
		return leave(&k, STATS_NOBODY, STATUS_NOBODY ".");
	if (!queued && is_late(&k))
		return leave(&k, STATS_LATE, "The time of its schedule is over.");
	if (!queued && is_successor(&k) && !is_held(&k))
		return leave(&k, 0, "What a keeper that was killed had woken sleeps again.");
	k.touched = is_successor(&k); /* even a wake that fails before it asks the engine must leave nothing running */
	begin_record(&k);
	return live(&k, &err);
}
