/* A start that takes longer than clients wait (handover/start_limit.h). It is overdue from the start-up time-out on:
 * clients that have waited that long are refused, and the reason is logged; later clients have a time-out of their own.
 * The start has failed only when its limit is over. */
#pragma once

#include "keeper/state.h"

/* A wake begins, or began at k->began: sets k->limit and k->deadline, at which the start becomes overdue. */
void overdue_begin(struct keeper *k);

/* The start has failed: it cannot become overdue any more. */
void overdue_end(struct keeper *k);

/* The server is ready. If clients did not wait that long, logs which time-out would have been enough. */
void overdue_ready(struct keeper *k);

/* While the start is overdue: asks for more time, and keeps the status text up to date. */
void overdue_go_on(struct keeper *k);

/* Sets *err to the message for a start whose limit is over. Returns -1. */
int overdue_give_up(const struct keeper *k, struct error *err);
