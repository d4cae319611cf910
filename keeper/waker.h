/* Who has begun a wake: the client that has waited for the longest time. */
#pragma once

#include "handover/stats.h"
#include "keeper/queue.h"

/* Writes its address, and since when it waits, into the statistics. Nobody is accepted for that. */
void waker_find(const struct queue *q, struct stats *s);
