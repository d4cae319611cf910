/* Locks that no instance has a use for any more (lifecycle/lock.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Removes from the runtime directory what nobody holds: second locks, which are made anew when they are wanted, and
 * first locks whose file is not among the `n` of `used`; of those none when `named` is false. */
void lock_sweep(const char *directory, bool named, const char *const *used, size_t n);
