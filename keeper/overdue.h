/* A start that takes longer than clients wait (handover/start_limit.h). It is overdue from the start-up time-out on: who
 * has waited so long is refused, and can read why; who comes later has a time of their own. It has failed only when its
 * limit is over. */
#pragma once

#include "keeper/state.h"

/* A wake begins, or began at k->began: sets k->deadline, at which it says so, and k->limit. */
void overdue_begin(struct keeper *k);

/* It has failed: it will not be overdue any more. */
void overdue_end(struct keeper *k);

/* It is ready. Where clients did not wait so long, says which time would have let them. */
void overdue_ready(struct keeper *k);

/* Asks for more time while it is overdue, and keeps the status text true. */
void overdue_go_on(struct keeper *k);

/* Sets *err to what is said after the limit. Returns -1. */
int overdue_give_up(const struct keeper *k, struct error *err);
