/* One table decides what to do with a container in every situation. docs/lifecycle.md shows it.
 *
 * The engine, or for a unit the service manager, reports the state. An instance remembers only who began a run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum event {
	EVENT_CONNECT, /* a client connects, or a person or the schedule's timer starts the service */
	EVENT_FOUND,   /* the instance sleeps and somebody inspects the container: create, boot, `list` */
	EVENT_ENDED,   /* the container's first process has ended while it was served, or before that */
	EVENT_IDLE,    /* nobody used it for --idle-timeout */
	EVENT_FAILED,  /* the wake failed */
	EVENT_STOP,    /* somebody stops the service: `sockwake sleep` and `remove`, `systemctl stop`, shutdown */
};
#define N_EVENTS (EVENT_STOP + 1)

enum condition {
	CONDITION_MISSING,
	CONDITION_OFF,
	CONDITION_PAUSED,
	CONDITION_RUNNING,
	CONDITION_RESTARTING, /* by its restart policy, or by its unit's Restart= */
	CONDITION_IN_HAND,    /* somebody is starting, stopping, restarting or removing it */
};
#define N_CONDITIONS (CONDITION_IN_HAND + 1)

/* Who began the run of a container that is up. */
enum run {
	RUN_OURS,   /* a wake of ours */
	RUN_FOUND,  /* somebody else, before the wake or as far as is known */
	RUN_OTHERS, /* somebody else, since the wake: restarted or replaced */
};
#define N_RUNS (RUN_OTHERS + 1)

/* Further circumstances. */
enum {
	CIRCUMSTANCE_SHARED = 1 << 0,	    /* another instance uses the container */
	CIRCUMSTANCE_WAITED_FOR = 1 << 1,   /* a client waits in the queue */
	CIRCUMSTANCE_KEEP_RUNNING = 1 << 2, /* --keep-running */
	CIRCUMSTANCE_PAUSES = 1 << 3,	    /* --idle-action pause */
	CIRCUMSTANCE_RECENT = 1 << 4,	    /* it ended so recently that it may come up again */
	CIRCUMSTANCE_AWAKE = 1 << 5,	    /* the instance's service runs */
	CIRCUMSTANCE_REQUIRED = 1 << 6,	    /* a running unit requires the container's unit, and would end with it */
	CIRCUMSTANCE_EPHEMERAL = 1 << 7,    /* the engine removes it when it stops: --rm */
	CIRCUMSTANCE_JOB = 1 << 8,	    /* a dependency that ends by itself (activator/job.h) */
	CIRCUMSTANCE_LABEL = 1 << 9,	    /* a dependency that a label names, not a person */
	CIRCUMSTANCE_RENAMED = 1 << 10,	    /* another one may have its name by now */
};
#define N_CIRCUMSTANCES 11

struct situation {
	enum event event;
	enum condition condition;
	enum run run; /* RUN_FOUND if the container is not up */
	unsigned circumstances;
};

enum action {
	ACTION_NOTHING,
	ACTION_START, /* or unpause */
	ACTION_SERVE, /* attach to the present run; the idle clock starts */
	ACTION_HALT,  /* stop or pause */
	ACTION_LEAVE, /* it stays up; a message says so */
	ACTION_WAIT,  /* check again later */
};

/* One row: the first that matches decides. Sets are masks of 1 << value; 0 matches any. */
struct decision {
	unsigned events, conditions, runs;
	unsigned circumstances; /* all of these must be given; 0: none */
	enum action action;
	const char *because; /* a sentence without its subject, "the container …" */
};

/* The row for a situation; every situation has one. */
const struct decision *decide(const struct situation *s);

/* All rows in order, for the page and its test. */
const struct decision *decisions(size_t *ret_n);

/* The words of the page: "idle", "restarting", "ours", "shared", "serve". `circumstance` is a bit number from 0. */
const char *event_name(enum event e);
const char *condition_name(enum condition c);
const char *run_name(enum run r);
const char *circumstance_name(unsigned circumstance);
const char *action_name(enum action a);
