/* What the operator sees while it runs: the statistics file, the unit's status text, and once-only remarks. */
#pragma once

#include <stdatomic.h>

#include "proxy/loop.h"
#include "proxy/service.h"

struct report {
	struct service *service;
	struct timer timer; /* the next STATUS=, at most one a second */
	uint64_t last;	    /* when the last one was sent */
	uint64_t since;	    /* READY */
	struct stats told;  /* what it said */
};

/* Everything is on its way: READY=1 and the first status. */
void report_ready(struct report *report, struct service *service, struct loop *loop);

/* After each batch of events of the first worker: writes the statistics, and plans a status text when they changed. */
void report_update(struct report *report, struct loop *loop);

/* A last message, with STOPPING=1. */
void report_stopping(struct report *report, const char *why);

/* What the system cannot give. */
void report_note(const struct service *service, const char *text);

/* A server is not shown the address of a client: the first time only. */
void report_anonymous(struct service *service);

/* A client was reset because the server could not be connected to, for this reason (errno) or, with 0, in time: the first
 * time only. */
void report_unreachable(struct service *service, const struct target *target, int error);

/* Sums over all workers. */
uint64_t service_connections(const struct service *s);
uint64_t service_holding(const struct service *s);
uint64_t service_holders(const struct service *s);
uint64_t service_silent(const struct service *s); /* to be looked at before service_holding() */

/* The latest of all workers. */
uint64_t service_last_activity(const struct service *s);
uint64_t service_last_silent(const struct service *s);
