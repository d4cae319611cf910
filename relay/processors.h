#pragma once

/* How many processors this process may use (sched_getaffinity(2)); 1 if that is unknown. Not after confinement. */
unsigned processors(void);
