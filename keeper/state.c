#include "keeper/state.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/extremes.h"
#include "common/fault.h"
#include "common/log.h"
#include "handover/listen.h"
#include "keeper/say.h"

/* How many messages are taken at a time: a hostile proxy could send messages without end. */
#define MESSAGES_MAX 32
#define NOTES_MAX    16 /* a proxy has no more to say */

/* How long the kernel may take to end a dying process. */
#define NOTICE_MSEC 100

static void take_woken(struct keeper *k, struct message *m)
{
	if (k->woken || m->n_fds == 0)
		return;
	k->woken = true;
	k->pidfd = m->fds[0];
	k->n_locks = m->n_fds - 1;
	memcpy(k->locks, m->fds + 1, k->n_locks * sizeof(*k->locks));
	m->n_fds = 0;
	record_take_wake(&k->record);
	log_debug("the container runs: has the pidfd of its first process and %zu locks", k->n_locks);
}

/* Once for each port. */
static void take_unreachable(struct keeper *k, const struct message *m, int error)
{
	char text[CHANNEL_UNREACHABLE_MAX], number[8] = "0";
	struct stats *s = &k->record.own;
	uint16_t port;

	(void)message_value(m, "PORT", number, sizeof(number));
	port = (uint16_t)strtoul(number, NULL, 10);
	for (unsigned n = 0; n < k->n_unreachable; n++) {
		if (k->unreachable[n] == port)
			return;
	}
	if (k->n_unreachable == UNREACHABLE_MAX)
		return;
	k->unreachable[k->n_unreachable++] = port;
	if (error == ECONNREFUSED)
		s->refused = port;
	log_line(LOG_WARNING, "%s", channel_unreachable(port, error, s->listening, STATS_LISTENING, text));
}

/* The proxy's own words are logged only until it has met a client. */
static void take_notes(struct keeper *k, const struct message *m)
{
	char note[SENTENCE_MAX];

	if (!k->ready && k->notes < NOTES_MAX && message_value(m, "NOTE", note, sizeof(note))) {
		k->notes++;
		keeper_say(k, LOG_NOTICE, note);
	}
	if (!k->anonymous && message_value(m, "ANONYMOUS", note, sizeof(note))) {
		k->anonymous = true;
		log_line(LOG_NOTICE, "%s", CHANNEL_ANONYMOUS);
	}
	if (message_value(m, "UNREACHABLE", note, sizeof(note)))
		take_unreachable(k, m, (int)strtol(note, NULL, 10));
}

/* What the start waits for. A hint belongs to the words before it. */
static void take_awaited(struct keeper *k, const struct message *m)
{
	char word[2];

	if (!message_value(m, "AWAITED", k->awaited, sizeof(k->awaited)))
		return;
	if (!message_value(m, "HINT", k->hint, sizeof(k->hint)))
		k->hint[0] = '\0';
	k->futile = message_value(m, "FUTILE", word, sizeof(word));
}

static void be_told_to_stop(struct keeper *k)
{
	if (k->told_to_stop)
		return;
	k->told_to_stop = now_usec();
	log_debug("is told to stop");
}

/* Accepts from each child only what that child is responsible for. */
static void take_message(struct keeper *k, struct child *c, struct message *m)
{
	char word[2];

	if (c != &k->notifier && !(c == &k->relay && k->ready))
		(void)message_value(m, "FAILED", k->failed, sizeof(k->failed));
	if ((c == &k->waker || c == &k->relay) && !k->ready)
		take_awaited(k, m);
	if (c == &k->waker) {
		k->touched += message_value(m, "STARTING", word, sizeof(word));
		k->touched -= message_value(m, "VAIN", word, sizeof(word));
		(void)message_value(m, "ENDED", k->in_case, sizeof(k->in_case));
		if (message_value(m, "WOKEN", word, sizeof(word)))
			take_woken(k, m);
	} else if (c == &k->sleeper) {
		(void)message_value(m, "ENDED", k->in_case, sizeof(k->in_case));
		if (message_value(m, "STOP", word, sizeof(word)))
			be_told_to_stop(k);
	} else if (c == &k->relay) {
		take_notes(k, m);
		if (!k->stopping && message_value(m, "STOPPING", word, sizeof(word))) {
			k->stopping = true;
			log_debug("the proxy accepts nobody any more");
		}
		k->ready |= message_value(m, "READY", word, sizeof(word));
		k->counted = true;
	}
}

static void take_messages(struct keeper *k, struct child *c)
{
	struct message m;
	bool closed = false;

	for (int n = 0; c->channel >= 0 && n < MESSAGES_MAX && channel_receive(c->channel, &m, &closed); n++) {
		take_message(k, c, &m);
		message_clear(&m);
	}
	if (closed)
		close_fd(&c->channel);
}

static void take_signals(struct keeper *k)
{
	struct signalfd_siginfo info;

	while (read(k->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			be_told_to_stop(k);
	}
}

/* Reads the messages that a child sent before it ended first. */
static void take_end(struct keeper *k, struct child *c)
{
	char how[64];

	if (c->pid == 0)
		return;
	FAULT("child:heard");
	if (!child_reap(c))
		return;
	take_messages(k, c);
	if (log_is_debug) {
		(void)child_result(c, how, sizeof(how));
		log_step("%s %s", c->name, how);
	}
	close_fd(&c->channel);
}

/* Records for the next keeper since when clients have been waiting. */
static void note_waiting(struct keeper *k)
{
	k->record.own.t_waiting = k->queue.since == USEC_INFINITY ? 0 : k->queue.since;
	record_write(&k->record);
}

static void look_after_queue(struct keeper *k)
{
	struct queue *q = &k->queue;
	size_t gone;

	if (q->since == USEC_INFINITY && queue_waits(q)) {
		q->since = now_usec();
		note_waiting(k);
	}
	if (!time_is_over(queue_deadline(q)))
		return;
	gone = queue_expire(q, now_usec());
	log_debug("resets %zu clients, who have waited for --startup-timeout", gone);
	note_waiting(k);
}

void keeper_wait(struct keeper *k, uint64_t until, bool watch_queue)
{
	struct child *children[] = {&k->waker, &k->relay, &k->sleeper, &k->notifier};
	enum { N = sizeof(children) / sizeof(*children) };
	struct pollfd fds[2 + N + LISTENERS_MAX] = {{.fd = k->signal_fd, .events = POLLIN},
						    {.fd = k->ended ? -1 : k->pidfd, .events = POLLIN}};
	nfds_t n = 2;

	for (size_t c = 0; c < N; c++)
		fds[n++] = (struct pollfd){.fd = children[c]->channel, .events = POLLIN};
	if (watch_queue) {
		/* Before the wait: an event may report that these clients are served. */
		look_after_queue(k);
		until = least_of(until, queue_deadline(&k->queue));
		/* One waiting client is enough; more make no difference. */
		for (int i = 0; i < k->queue.n && k->queue.since == USEC_INFINITY; i++)
			fds[n++] = (struct pollfd){.fd = LISTEN_FDS_START + i, .events = POLLIN};
	}
	until = least_of(until, k->deadline);
	(void)poll(fds, n, timeout_msec(until));
	FAULT("keeper:wakes");
	if (!k->ended && fds[1].revents != 0) {
		k->ended = true;
		log_debug("the container's first process has ended");
	}
	take_signals(k);
	for (size_t c = 0; c < N; c++) {
		take_messages(k, children[c]);
		take_end(k, children[c]);
	}
	if (time_is_over(k->deadline))
		k->late(k);
}

/* Readable once the process has ended, reaped or not (pidfd_open(2)). */
bool keeper_container_has_ended(const struct keeper *k)
{
	return k->pidfd >= 0 && poll(&(struct pollfd){.fd = k->pidfd, .events = POLLIN}, 1, 0) == 1;
}

bool keeper_container_is_ending(const struct keeper *k)
{
	if (k->failed[0] && !keeper_container_has_ended(k)) {
		FAULT("keeper:notices");
		(void)poll(&(struct pollfd){.fd = k->pidfd, .events = POLLIN}, 1, NOTICE_MSEC);
	}
	return keeper_container_has_ended(k);
}

/* Once the container runs, the activator has reported everything. Its copies of the locks must go. */
static void end_waker(struct keeper *k)
{
	child_signal(&k->waker, SIGKILL);
	while (k->waker.pid)
		keeper_wait(k, time_from_now(USEC_PER_SEC), true);
}

void keeper_release_run(struct keeper *k)
{
	end_waker(k);
	while (k->n_locks > 0)
		close_fd(&k->locks[--k->n_locks]);
}

void keeper_refuse(struct keeper *k, const char *why)
{
	bool news = *why && strcmp(k->said, why) != 0;

	/* The journal has the reason before the clients are reset. The status text follows: clients that connect after
	 * it were not refused. */
	if (*why)
		keeper_say(k, LOG_ERR, why);
	log_debug("resets everybody who waits");
	queue_refuse(&k->queue);
	if (news)
		notify_send(k->notify_fd, "STATUS=%s", why);
	note_waiting(k);
}

/* What has happened to who waited, as the end of a sentence. */
static const char *fate(const struct keeper *k)
{
	return queue_is_of_datagrams(&k->queue) ? "waiting datagrams were dropped" : "waiting clients were refused";
}

int keeper_told_to_stop(const struct keeper *k, struct error *err)
{
	return error_set(err, 0, "it was told to stop before the container was ready; %s", fate(k));
}

const char *keeper_explain(struct keeper *k, const struct child *c)
{
	char how[64];

	if (k->failed[0])
		return k->failed;
	(void)child_result(c, how, sizeof(how));
	snprintf(k->failed, sizeof(k->failed), "%s %s before the container was ready; %s", c->name, how, fate(k));
	return k->failed;
}
