/* What the operator sees while the proxy runs: the statistics file, the unit's status text, and remarks that are made
 * once. */
#pragma once

#include "handover/stats.h"
#include "relay/loop.h"
#include "relay/service.h"

struct report {
	struct service *service;
	struct stats *stats; /* shared with the keeper, or one of our own */
	bool has_keeper;     /* reports go to the keeper, not to the service manager */
	int notify_fd;	     /* to the keeper, or the service manager */

	struct timer timer; /* the next STATUS=, at most one a second */
	uint64_t last;	    /* when the last one was sent */
	uint64_t since;	    /* READY */
	struct stats told;  /* the values last reported */
};

/* Everything is prepared: sends READY=1 and the first status text. */
void report_ready(struct report *report, struct loop *loop);

/* To be called after each batch of events of the first worker: writes the statistics, and schedules a status text if
 * they have changed. */
void report_update(struct report *report, struct loop *loop);

/* A last message, with STOPPING=1. */
void report_stopping(struct report *report, const char *why);

/* Reports what the system cannot enforce. */
void report_note(const struct report *report, const char *text);

/* Reports of the service (relay/service.h). */
void report_anonymous(const struct report *report);
void report_unreachable(const struct report *report, const struct target *target, uint16_t port, int error);
