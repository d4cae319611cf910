/* What is going on with instances now: the service manager, the engines and the statistics files are asked, each as
 * few times as possible. */
#pragma once

#include <cjson/cJSON.h>

#include "handover/stats.h"
#include "units/manager.h"
#include "units/paths.h"
#include "units/query.h"
#include "units/store.h"

enum state {
	STATE_UNKNOWN,	/* the service manager could not be asked */
	STATE_ASLEEP,	/* the socket listens, nothing of ours runs */
	STATE_WAKING,	/* from the first connection until the first is accepted */
	STATE_AWAKE,	/* the proxy accepts */
	STATE_STOPPING, /* the proxy has ended, the container is being put to sleep */
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
	char container_state[32];     /* the engine's word; "missing"; "unknown" when it cannot be asked */
	char dependency_states[INSTANCE_DEPENDENCIES_MAX][32]; /* the same of the containers of --with */
	char container_id[65];				       /* "" where the engine cannot be asked, or has none */
	char dependency_ids[INSTANCE_DEPENDENCIES_MAX][65];
	uint64_t held_until; /* CLOCK_REALTIME; 0: it is not held awake */
	uint64_t
		sleeps_at; /* CLOCK_REALTIME, if nobody comes; 0: it does not sleep by itself, or somebody is connected */
	uint64_t waiting;		 /* TCP clients that nobody has accepted yet */
	bool somebody_waits;		 /* … or others, whom nobody can count */
	char attended_by[UNIT_NAME_MAX]; /* an awake instance that shares its container; "": none */
	bool have_stats;
	struct stats stats;
};

/* *ret has one item for each of the list, and belongs to the caller (free()). What cannot be asked is unknown, and the
 * first reason for that goes to *ret_trouble ("" for none): an engine that is down does not hide the instances. */
int observe(enum scope scope, const struct stored_list *list, struct observation **ret, struct error *ret_trouble,
	    struct error *err);

/* Connections that are open now, and UDP flows. */
uint64_t observation_connections(const struct observation *o);

/* The instance and all of that for programs. NULL on out of memory; the caller deletes it. */
cJSON *observation_to_json(const struct observation *o);
