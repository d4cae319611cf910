#include "relay/processors.h"

#include <sched.h>

/* #syscalls: sched_getaffinity */

unsigned processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : (unsigned)CPU_COUNT(&set);
}
