/* The states of many units at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "units/manager.h"

/* The details to request about a unit beside its state: each unit takes one more request, which costs systemd about a
 * millisecond. */
enum unit_details {
	DETAILS_NONE,
	DETAILS_SINCE, /* since_usec alone, which is a little cheaper */
	DETAILS_ALL,
};

/* A unit, as the manager knows it. After a query no string is NULL. */
struct unit_state {
	char *load_state;   /* "loaded", "not-found", "masked", … */
	char *active_state; /* "active", "activating", "failed", … */
	char *sub_state;    /* "running", "listening", "stop-post", … */
	char *object;	    /* the unit's path on the bus */

	enum unit_details details; /* for manager_ask_details(): set by the caller */
	uint64_t since_usec;	   /* CLOCK_REALTIME of the last change of state; 0: never */
	char *fragment_path;	   /* the unit file; "" for none */
	char *status_text;	   /* the last STATUS= of a service */
	char *result;		   /* "success", "exit-code", "timeout", … */
	int32_t main_code;   /* of the last main process of a service: CLD_EXITED, CLD_KILLED, …, as waitid(2) */
	int32_t main_status; /* exit status, or signal */
	uint32_t main_pid;
	uint64_t main_start; /* CLOCK_MONOTONIC, of its last main process: distinguishes starts */
	bool need_reload;    /* the file is newer than the version that the manager has read */
};
void unit_states_clear(struct unit_state *states, size_t n);

/* The states of many units with one request; `ret` has n items, in the order of the names. An alias gets the state of
 * its unit. The caller clears them, also after an error. */
int manager_query(struct manager *m, const char *const *names, size_t n, struct unit_state *ret, struct error *err);

/* Requests the details that each state has set, all requests at once. */
int manager_ask_details(struct manager *m, struct unit_state *states, size_t n, struct error *err);

/* Both for some units, with all details. */
int manager_examine(struct manager *m, const char *const *names, size_t n, struct unit_state *ret, struct error *err);

/* The reason for a unit's state, as a sentence without a full stop: the service's last status text, or its result from
 * systemd. "": none. */
#define UNIT_REASON_MAX 512
void unit_reason(const struct unit_state *s, char ret[static UNIT_REASON_MAX]);
