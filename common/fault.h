/* Points at which a test makes a program stand still, so that it provokes a race instead of hoping for it.
 *
 *	FAULT("accept:taken");
 *
 * is nothing at all but in test builds (FAULTS in the Makefile). There SOCKWAKE_FAULTS="accept:taken=63,idle:ends=64" gives
 * points a socket each: whoever comes to such a point says there which process and thread it is, and waits for a byte. The other
 * threads go on. Once the other end is shut down the point holds nobody. HACKING.md, "A race", has an example.
 */
#pragma once

#include <stddef.h>

#ifdef FAULT_POINTS
#define FAULT(point)	   fault_reach(point)
#define FAULT_SOCKETS_MAX  4
#define FAULT_SOCKETS(ret) fault_sockets(ret)
#else
#define FAULT(point)	   ((void)0)
#define FAULT_SOCKETS_MAX  0
#define FAULT_SOCKETS(ret) 0
#endif

/* Waits if a test wants that here. Leaves errno as it is. */
void fault_reach(const char *point);

/* The sockets of all points, for a program that closes what it does not know. Returns how many; at most 4. */
size_t fault_sockets(int *ret);
