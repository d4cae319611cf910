/* A budget of descriptors, shared by all workers. It counts how many descriptors this process may still open, so that a
 * worker accepts a connection only if there is a descriptor for its other end, too, and never runs into EMFILE. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct descriptors {
	atomic_int free;
};

/* Raises the soft limit of open files to the hard one. `used` descriptors are open already. */
void descriptors_init(struct descriptors *d, int used);

static inline bool descriptors_take(struct descriptors *d, int n)
{
	if (atomic_fetch_sub_explicit(&d->free, n, memory_order_relaxed) >= n)
		return true;
	atomic_fetch_add_explicit(&d->free, n, memory_order_relaxed);
	return false;
}

static inline void descriptors_give(struct descriptors *d, int n)
{
	atomic_fetch_add_explicit(&d->free, n, memory_order_relaxed);
}

static inline bool descriptors_left(const struct descriptors *d, int n)
{
	return atomic_load_explicit(&d->free, memory_order_relaxed) >= n;
}
