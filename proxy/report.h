/* What the operator sees while it runs: the statistics file, the unit's status text, and once-only remarks. */
#pragma once

#include "handover/stats.h"
#include "relay/loop.h"
#include "relay/service.h"

struct report {
	struct service *service;
	struct stats *stats; /* shared with the keeper, or one of our own */
	bool has_keeper;     /* it is told, not the service manager */
	int notify_fd;	     /* to the keeper, or the service manager */

	struct timer timer; /* the next STATUS=, at most one a second */
	uint64_t last;	    /* when the last one was sent */
	uint64_t since;	    /* READY */
	struct stats told;  /* what it said */
};

/* Everything is on its way: READY=1 and the first status. */
void report_ready(struct report *report, struct loop *loop);

/* After each batch of events of the first worker: writes the statistics, and plans a status text when they changed. */
void report_update(struct report *report, struct loop *loop);

/* A last message, with STOPPING=1. */
void report_stopping(struct report *report, const char *why);

/* What the system cannot give. */
void report_note(const struct report *report, const char *text);

/* What the service says (relay/service.h). */
void report_anonymous(const struct report *report);
void report_unreachable(const struct report *report, const struct target *target, int error);
