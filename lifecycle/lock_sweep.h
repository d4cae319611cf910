/* Removes locks that no instance needs any more (lifecycle/lock.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Removes unheld locks from the runtime directory: second locks, which are made anew when needed, and first locks whose
 * file is not among the `n` of `used`. With `named` false, no first locks. */
void lock_sweep(const char *directory, bool named, const char *const *used, size_t n);
