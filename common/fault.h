/* Points at which a test stops a program, to provoke a race instead of hoping for it.
 *
 *	FAULT("accept:taken");
 *
 * expands to nothing except in test builds (FAULTS in the Makefile). There
 * SOCKWAKE_FAULTS="accept:taken=63,idle:ends=64" gives each point a socket: a thread that reaches the point reports its
 * process and thread there, and waits for a byte. Other threads go on. Once the other end is shut down, the point stops
 * no thread. HACKING.md, "A race", has an example.
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

/* Waits if a test stops this point. Preserves errno. */
void fault_reach(const char *point);

/* The sockets of all points, for a program that closes unknown descriptors. Returns how many; at most 4. */
size_t fault_sockets(int *ret);
