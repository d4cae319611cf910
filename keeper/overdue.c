#include "keeper/overdue.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/extremes.h"
#include "common/log.h"
#include "handover/channel.h"
#include "handover/listen.h"
#include "keeper/say.h"

#define SPAN_TEXT_MAX 24

/* As the value of an option: "30s", "2min". */
static const char *span_text(uint64_t usec, char ret[static SPAN_TEXT_MAX])
{
	unsigned long long msec = usec / USEC_PER_MSEC;

	if (msec % 1000)
		snprintf(ret, SPAN_TEXT_MAX, "%llums", msec);
	else if (msec % 60000 || msec == 0)
		snprintf(ret, SPAN_TEXT_MAX, "%llus", msec / 1000);
	else
		snprintf(ret, SPAN_TEXT_MAX, "%llumin", msec / 60000);
	return ret;
}

void overdue_end(struct keeper *k)
{
	k->deadline = USEC_INFINITY;
	k->limit = 0;
	k->overdue = false;
}

/* What the start waits for, as a part of a sentence. */
static const char *awaited(const struct keeper *k)
{
	if (k->awaited[0])
		return k->awaited;
	return k->woken ? "its server is not ready" : "it has not been started";
}

static void until_text(const struct keeper *k, char *ret, size_t size)
{
	time_t then = (time_t)(k->limit_wall / USEC_PER_SEC);
	struct tm tm;

	localtime_r(&then, &tm);
	strftime(ret, size, "%T", &tm);
}

static void compose(const struct keeper *k, char ret[static SENTENCE_MAX])
{
	char waited[SPAN_TEXT_MAX], all[SPAN_TEXT_MAX], until[16];
	bool udp = queue_is_of_datagrams(&k->queue);

	until_text(k, until, sizeof(until));
	snprintf(
		ret, SENTENCE_MAX,
		STATUS_STILL_STARTING
		"after %s%s: %.500s%s%.300s; it is left to go on for up to %s, until %s; %s for longer than %s are %s%s",
		span_text(k->options.startup_timeout, waited), k->futile ? "" : " (--startup-timeout)", awaited(k),
		k->hint[0] ? "; " : "", k->hint, span_text(k->options.start_limit, all), until,
		udp ? "datagrams that wait" : "clients who wait", waited, udp ? "dropped" : "refused",
		k->futile ? "" : ", who comes later may find it ready");
}

/* Only now is it known which time-out would have been enough. In whole seconds, rounded up. */
static void say_what_it_took(struct keeper *k)
{
	uint64_t seconds = time_since(k->began) / USEC_PER_SEC + 1;
	char sentence[SENTENCE_MAX], waited[SPAN_TEXT_MAX], enough[SPAN_TEXT_MAX];

	snprintf(sentence, sizeof(sentence),
		 "ready, but clients wait for %s only: --startup-timeout %s would have let them wait for this start",
		 span_text(k->options.startup_timeout, waited), span_text(seconds * USEC_PER_SEC, enough));
	keeper_say(k, LOG_NOTICE, sentence);
}

void overdue_ready(struct keeper *k)
{
	if (k->overdue)
		say_what_it_took(k);
	overdue_end(k);
	k->shown[0] = '\0'; /* another text takes its place */
}

/* Sets the status text; the journal gets it once. */
static void show(struct keeper *k)
{
	char sentence[SENTENCE_MAX];

	compose(k, sentence);
	if (strcmp(k->shown, sentence) == 0)
		return;
	strcpy(k->shown, sentence);
	notify_send(k->notify_fd, "STATUS=%s", sentence);
}

/* The deadline is over: logs that, once. */
static void say_overdue(struct keeper *k)
{
	char sentence[SENTENCE_MAX];

	k->deadline = USEC_INFINITY;
	if (k->ready || k->told_to_stop)
		return;
	k->overdue = true;
	compose(k, sentence);
	keeper_say(k, LOG_WARNING, sentence);
}

/* Until then the status text says each second what the start waits for, if that has changed. */
static uint64_t overdue_at(const struct keeper *k)
{
	return time_after(k->began, k->options.startup_timeout);
}

static void look(struct keeper *k)
{
	uint64_t end = overdue_at(k), next = time_after(now_usec(), USEC_PER_SEC);
	char sentence[SENTENCE_MAX];

	if (time_is_over(end)) {
		say_overdue(k);
		return;
	}
	k->deadline = least_of(next, end);
	if (k->ready || k->told_to_stop)
		return;
	snprintf(sentence, sizeof(sentence), STATUS_WAITS "%.600s%s%.300s", awaited(k), k->hint[0] ? "; " : "",
		 k->hint);
	if (strcmp(k->shown, sentence) == 0)
		return;
	strcpy(k->shown, sentence);
	notify_send(k->notify_fd, "STATUS=%s", sentence);
}

void overdue_begin(struct keeper *k)
{
	uint64_t end = overdue_at(k), first = time_after(now_usec(), USEC_PER_SEC);

	k->late = look;
	k->deadline = least_of(first, end);
	k->limit = time_after(k->began, k->options.start_limit);
	k->limit_wall = time_after(wall_usec() - time_since(k->began), k->options.start_limit);
}

void overdue_go_on(struct keeper *k)
{
	if (!k->overdue)
		return;
	keeper_extend(k);
	if (!k->told_to_stop && time_is_over(time_after(k->shown_at, USEC_PER_SEC))) {
		k->shown_at = now_usec();
		show(k);
	}
}

int overdue_give_up(const struct keeper *k, struct error *err)
{
	char all[SPAN_TEXT_MAX];

	return error_set(
		err, 0,
		"not ready after %s, the longest that a start may take (four times --startup-timeout, 10min at "
		"least), and put to sleep: %.500s%s%.300s",
		span_text(k->options.start_limit, all), awaited(k), k->hint[0] ? "; " : "", k->hint);
}
