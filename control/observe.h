/* The current state of instances, from the service manager, the engines and the statistics files, with as few requests
 * as possible. */
#pragma once

#include "handover/stats.h"
#include "units/manager.h"
#include "units/paths.h"
#include "units/query.h"
#include "units/store.h"

enum state {
	STATE_UNKNOWN,	/* the service manager did not answer */
	STATE_ASLEEP,	/* the socket listens, nothing of ours runs */
	STATE_WAKING,	/* from the first connection until the first is accepted */
	STATE_AWAKE,	/* the proxy accepts */
	STATE_STOPPING, /* the proxy has ended, the container is going to sleep */
	STATE_FAILED,	/* the last wake failed; the next connection tries again */
	STATE_OFF,	/* the socket does not listen: nothing can wake the instance */
};
const char *observe_state_name(enum state state);

struct observation {
	const struct stored *stored; /* belongs to the list that was observed */
	enum state state;
	char reason[UNIT_REASON_MAX]; /* why it failed, is off or cannot be read, for a terminal; "": nothing to say */
	uint64_t since_usec;	      /* CLOCK_REALTIME of the last change; 0: not since boot */
	char socket_state[32];	      /* systemd's ActiveState of the socket */
	char container_state[32];     /* the engine's word; "missing"; "unknown" if the engine does not answer */
	char dependency_states[INSTANCE_DEPENDENCIES_MAX][32]; /* the same for the dependencies */
	char container_id[65]; /* "" if the engine does not answer, or has no such container */
	char dependency_ids[INSTANCE_DEPENDENCIES_MAX][65];
	uint64_t held_until;		 /* CLOCK_REALTIME; 0: it is not held awake */
	bool held_always;		 /* by its schedule, which has no end */
	char phase[UNIT_REASON_MAX];	 /* of a wake that takes long: what it waits for; "" */
	uint64_t sleeps_at;		 /* CLOCK_REALTIME, if no client comes; 0: never, or a client is connected */
	uint64_t waiting;		 /* TCP clients in the backlogs */
	bool somebody_waits;		 /* … or other clients, which cannot be counted */
	char attended_by[UNIT_NAME_MAX]; /* an awake instance that shares its container; "": none */
	char hides[512];		/* a unit file of others that the instance's hides (units/hidden.h); "": none */
	char conflict[UNIT_REASON_MAX]; /* what would prevent a wake (warning.h); "": nothing is known */
	bool without_unit;		/* the service manager has no file of the unit that runs its container */
	bool stranger;			/* the container that runs is not the one of its unit (stranger.h) */
	bool changed;			/* its units were written after the service that runs was started */
	bool have_stats;
	struct stats stats;
};

/* *ret has one item for each instance of the list, and belongs to the caller (free()). A state that cannot be
 * determined is unknown, and the first reason goes to *ret_trouble ("": none): an engine that is down does not hide
 * instances. */
int observe(enum scope scope, const struct stored_list *list, uint64_t patience, struct observation **ret,
	    struct error *ret_trouble, struct error *err);

/* How long an engine may take to answer, in microseconds: a person who looks at a list does not wait for it long. */
#define OBSERVE_PATIENCE       (10 * USEC_PER_SEC)
#define OBSERVE_SHORT_PATIENCE (2 * USEC_PER_SEC)

/* The number of open connections and UDP flows. */
uint64_t observation_connections(const struct observation *o);
