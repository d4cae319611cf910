/* The state of a keeper, and the one place where it waits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "handover/channel.h"
#include "keeper/child.h"
#include "keeper/options.h"
#include "keeper/queue.h"
#include "keeper/record.h"

#define SENTENCE_MAX	1024
#define UNREACHABLE_MAX 16 /* a hostile proxy could name all ports */

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
	struct child notifier; /* activator --notify: becomes a process of the user's */

	/* What they have reported. */
	int touched; /* how many times a start was requested from the engine, which may have obeyed */
	bool woken;  /* the container runs */
	int pidfd;   /* of the container's first process */
	bool ended;  /* that process has ended */
	int locks[CHANNEL_FDS_MAX];
	size_t n_locks;
	bool ready;			       /* the proxy accepts */
	bool stopping;			       /* the proxy no longer accepts */
	unsigned notes;			       /* how many messages of a proxy are in the journal */
	bool anonymous;			       /* the proxy could not show a client's address to a server */
	uint16_t unreachable[UNREACHABLE_MAX]; /* ports of which a client was reset because no server accepted it */
	unsigned n_unreachable;
	bool counted;		     /* the proxy has updated its traffic figures */
	bool untold;		     /* the service manager does not have them yet */
	char awaited[SENTENCE_MAX];  /* what the start waits for, as a part of a sentence */
	char hint[SENTENCE_MAX];     /* and what helps; "" */
	bool futile;		     /* and waiting longer does not help */
	char in_case[SENTENCE_MAX];  /* the message if the container ends before it is ready */
	bool ended_early;	     /* … and that has happened */
	char last_end[SENTENCE_MAX]; /* how the last run before this one ended before it was ready; "" */
	char failed[SENTENCE_MAX];   /* why the last child failed; "" */

	/* overdue.h */
	void (*late)(struct keeper *k); /* called when the deadline is over */
	uint64_t deadline;   /* of clients that have waited since the wake began; USEC_INFINITY: no start is going on */
	uint64_t limit;	     /* of the start itself; 0: no start is going on */
	uint64_t limit_wall; /* the same on CLOCK_REALTIME */
	bool overdue;	     /* the start goes on beyond the deadline */
	char shown[SENTENCE_MAX]; /* in the status text */
	uint64_t shown_at;

	bool wake_failed;  /* the reason why the container is put to sleep */
	unsigned followed; /* how often it was followed to another run since then */
	uint64_t followed_since;
	uint64_t told_to_stop;	 /* when that was; 0: nobody has */
	uint64_t extended;	 /* when the service manager was last asked for more time */
	char said[SENTENCE_MAX]; /* the last line in the journal */
	uint64_t said_at;
};

/* A keeper that has served nobody lives this long. Otherwise a client that reconnects at once would make systemd start
 * one keeper after the other. */
#define KEEPER_SHORTEST_LIFE USEC_PER_SEC

/* How often to check the queue in a loop that must not run once for every new client. */
#define KEEPER_ADMIT_PERIOD (10 * USEC_PER_MSEC)

/* The child processes keep their deadlines themselves. The keeper ends one that hangs this much later. */
#define KEEPER_GRACE (500 * USEC_PER_MSEC)

/* Whoever stops the service waits for the keeper's end. Longer than an engine's usual pauses, but not for ever. */
#define KEEPER_PATIENCE (90 * USEC_PER_SEC)

/* The longest time between two notifications to the service manager while it waits. */
#define KEEPER_PERIOD (5 * USEC_PER_SEC)

/* First resets clients that have waited too long. Then waits for the next event, at most until then, and handles it:
 * signals, children that end, their messages; with watch_queue, also a waiting client. */
void keeper_wait(struct keeper *k, uint64_t until, bool watch_queue);

/* Refuses all waiting clients, and says why, unless `why` is "". */
void keeper_refuse(struct keeper *k, const char *why);

/* The sentence for a start during which the keeper was told to stop. */
int keeper_told_to_stop(const struct keeper *k, struct error *err);

/* Why a child failed: its own words, or how it ended. */
const char *keeper_explain(struct keeper *k, const struct child *c);

/* Has the container's first process ended? */
bool keeper_container_has_ended(const struct keeper *k);

/* The same after a child has failed: a child that fails because the container ends may notice it a moment before the
 * first process is gone. */
bool keeper_container_is_ending(const struct keeper *k);

/* Ends the activator that has woken the container, and releases its locks. */
void keeper_release_run(struct keeper *k);
