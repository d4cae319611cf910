/* What a keeper knows, and the one place where it waits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "handover/channel.h"
#include "keeper/child.h"
#include "keeper/options.h"
#include "keeper/queue.h"
#include "keeper/record.h"

#define SENTENCE_MAX 1024

struct keeper {
	struct keeper_options options;
	struct program activator, nshelper, proxy;
	struct queue queue;
	struct record record;
	int notify_fd; /* to the service manager */
	int signal_fd;
	uint64_t began; /* CLOCK_MONOTONIC microseconds, as all times here */

	/* The child processes; at most one of each. */
	struct child waker;    /* activator --wake */
	struct child relay;    /* nshelper, which becomes the proxy */
	struct child sleeper;  /* activator --sleep or --follow */
	struct child notifier; /* activator --notify: a process of the user's in the end */

	/* What they have told. */
	int touched; /* so many times the engine was asked to start something, and may have done it */
	bool woken;  /* the container runs */
	int pidfd;   /* of its first process */
	bool ended;  /* and that has ended */
	int locks[CHANNEL_FDS_MAX];
	size_t n_locks;
	bool ready;		    /* the proxy accepts */
	bool stopping;		    /* the proxy accepts no longer */
	unsigned notes;		    /* that a proxy wanted to have in the journal */
	bool anonymous;		    /* a server was not shown the address of a client */
	bool unreachable;	    /* a client was reset for want of a server */
	bool counted;		    /* the proxy has counted something */
	bool untold;		    /* which the service manager was not told yet */
	char awaited[SENTENCE_MAX]; /* what is waited for, as a part of a sentence */
	char hint[SENTENCE_MAX];    /* and what helps; "" */
	bool futile;		    /* and no time brings it about */
	char in_case[SENTENCE_MAX]; /* what to say should the container end before it is ready */
	char failed[SENTENCE_MAX];  /* why the last child failed; "" */

	/* overdue.h */
	void (*late)(struct keeper *k); /* what is done when the deadline is over */
	uint64_t deadline;	  /* of those who wait since the wake began; USEC_INFINITY: nothing is being started */
	uint64_t limit;		  /* of the start itself; 0: nothing is being started */
	uint64_t limit_wall;	  /* the same on CLOCK_REALTIME */
	bool overdue;		  /* it goes on, beyond the deadline */
	char shown[SENTENCE_MAX]; /* to the service manager */
	uint64_t shown_at;

	bool wake_failed;  /* and that is why the container is put to sleep */
	unsigned followed; /* how often it was followed to another run, since then */
	uint64_t followed_since;
	bool told_to_stop;	 /* SIGTERM */
	uint64_t told_at;	 /* when that was */
	uint64_t extended;	 /* when the service manager was last asked for more time */
	char said[SENTENCE_MAX]; /* in the journal, last */
	uint64_t said_at;
};

/* A keeper that has served nobody stays this long: whoever comes again at once must not have systemd start one keeper
 * after the other. */
#define KEEPER_SHORTEST_LIFE USEC_PER_SEC

/* How often the queue is looked through in a loop that must not turn with every client that comes. */
#define KEEPER_ADMIT_PERIOD (10 * USEC_PER_MSEC)

/* The child processes keep the time themselves; only one that hangs does not. */
#define KEEPER_GRACE (500 * USEC_PER_MSEC)

/* Whoever stops the service waits for its end: longer than engines usually stand still, but not for ever. */
#define KEEPER_PATIENCE (90 * USEC_PER_SEC)

/* How long somebody may wait for a word to the service manager, at most. */
#define KEEPER_PERIOD (5 * USEC_PER_SEC)

#define KEEPER_TOLD_TO_STOP "it was told to stop before the container was ready; waiting clients were refused"

static inline uint64_t time_after(uint64_t since, uint64_t span)
{
	uint64_t sum;

	return __builtin_add_overflow(since, span, &sum) ? USEC_INFINITY : sum;
}

static inline bool time_is_over(uint64_t when)
{
	return now_usec() >= when;
}

/* Waits for the next thing to happen, at most until then, and takes notice of it: signals, children that end, their
 * messages; and, with watch_queue, somebody who waits. Who has waited too long by now is reset first. */
void keeper_wait(struct keeper *k, uint64_t until, bool watch_queue);

/* Refuses everybody who waits, and says why, unless that is "". */
void keeper_refuse(struct keeper *k, const char *why);

/* Why a child failed: what it has said, or how it ended. */
const char *keeper_explain(struct keeper *k, const struct child *c);

/* Has the container's first process ended? */
bool keeper_container_has_ended(const struct keeper *k);

/* The same once a child has failed: who fails because the container ends sees that a moment before its first process is
 * gone. */
bool keeper_container_is_ending(const struct keeper *k);

/* Ends the activator that has woken the container, and lets go of its locks. */
void keeper_release_run(struct keeper *k);
