/* Memory runs out: an allocation of our own code, by malloc(3) or calloc(3), fails. */
#pragma once

#include <stdbool.h>

/* The next N allocations of this process succeed, and the one after them fails. */
void shortage_after(unsigned n);
void shortage_end(void);

/* Has an allocation failed since shortage_after()? */
bool shortage_was_met(void);
