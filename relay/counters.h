/* The counters of a worker. Only the worker's thread writes them; other threads may read: relaxed loads and stores of
 * whole words, which cost no more than plain ones. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct counters {
	_Atomic uint64_t connections; /* open now */
	_Atomic uint64_t holding;     /* those that keep the container awake */
	_Atomic uint64_t silent;      /* those that will, once their client has sent data (--hold data) */
	_Atomic uint64_t last_silent; /* when the latest of these arrived, CLOCK_MONOTONIC microseconds */
	_Atomic uint64_t holders;     /* total that keep or kept it awake, connections and UDP flows */
	_Atomic uint64_t connections_total;
	_Atomic uint64_t connections_failed;
	_Atomic uint64_t bytes[2]; /* by the end that sent them: clients, target */
	_Atomic uint64_t flows;	   /* open UDP flows */
	_Atomic uint64_t flows_total;
	_Atomic uint64_t datagrams_dropped;
	_Atomic uint64_t full;		/* 1: accepts nothing, for lack of descriptors */
	_Atomic uint64_t last_activity; /* CLOCK_MONOTONIC microseconds */
};

static inline uint64_t count_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static inline void count_set(_Atomic uint64_t *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

static inline void count_add(_Atomic uint64_t *counter, uint64_t n)
{
	count_set(counter, count_get(counter) + n);
}
