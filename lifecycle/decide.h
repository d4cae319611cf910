/* What is done about a container, whatever happens to it and whoever does it: one table. docs/lifecycle.md shows it.
 *
 * The engine, or the service manager for a unit, says what is. What an instance remembers tells only who began a run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum event {
	EVENT_CONNECT, /* somebody connects, or the service is started by hand or by the schedule's timer */
	EVENT_FOUND,   /* the instance sleeps and the container is looked at: at create, at boot, for `list` */
	EVENT_ENDED,   /* the container's first process has ended while it was served, or was about to be */
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
	CONDITION_IN_HAND,    /* somebody starts, stops, restarts or removes it right now */
};
#define N_CONDITIONS (CONDITION_IN_HAND + 1)

/* Who began the run of a container that is up. */
enum run {
	RUN_OURS,   /* a wake of ours */
	RUN_FOUND,  /* somebody else, before the wake or as far as known */
	RUN_OTHERS, /* somebody else, since the wake: restarted or replaced */
};
#define N_RUNS (RUN_OTHERS + 1)

/* What else matters. */
enum {
	CIRCUMSTANCE_SHARED = 1 << 0,	    /* another instance uses the container */
	CIRCUMSTANCE_WAITED_FOR = 1 << 1,   /* somebody waits in the queue */
	CIRCUMSTANCE_KEEP_RUNNING = 1 << 2, /* --keep-running */
	CIRCUMSTANCE_PAUSES = 1 << 3,	    /* --idle-action pause */
	CIRCUMSTANCE_RECENT = 1 << 4,	    /* it has ended so recently that it may come up again */
	CIRCUMSTANCE_AWAKE = 1 << 5,	    /* the instance's service runs */
	CIRCUMSTANCE_REQUIRED = 1 << 6,	    /* a unit that runs requires the container's unit, and would end with it */
	CIRCUMSTANCE_EPHEMERAL = 1 << 7,    /* stopped, it would be removed by the engine: --rm */
};
#define N_CIRCUMSTANCES 8

struct situation {
	enum event event;
	enum condition condition;
	enum run run; /* RUN_FOUND when the container is not up */
	unsigned circumstances;
};

enum action {
	ACTION_NOTHING,
	ACTION_START, /* or unpause */
	ACTION_SERVE, /* attach to the run that there is; the idle clock starts */
	ACTION_HALT,  /* stop or pause */
	ACTION_LEAVE, /* it stays up, and that is said */
	ACTION_WAIT,  /* and look again */
};

/* One row: the first one that fits decides. Sets are masks of 1 << value; 0 stands for any. */
struct decision {
	unsigned events, conditions, runs;
	unsigned circumstances; /* that must be given; 0 for none */
	enum action action;
	const char *because; /* a sentence without its subject, "the container …" */
};

/* The row for a situation; there is one for each. */
const struct decision *decide(const struct situation *s);

/* All rows in their order, for the page and its test. */
const struct decision *decisions(size_t *ret_n);

/* The words of the page: "idle", "restarting", "ours", "shared", "serve". `circumstance` counts bits from 0. */
const char *event_name(enum event e);
const char *condition_name(enum condition c);
const char *run_name(enum run r);
const char *circumstance_name(unsigned circumstance);
const char *action_name(enum action a);
