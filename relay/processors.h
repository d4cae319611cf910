#pragma once

/* On how many this process may run (sched_getaffinity(2)); 1 when that cannot be found out. Not after confinement. */
unsigned processors(void);
