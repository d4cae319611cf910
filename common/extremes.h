/* The smaller and the larger of two numbers. One function each, so that no place chooses the wrong one. */
#pragma once

#include <stdint.h>

static inline uint64_t least_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t most_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* How far a is beyond b; 0 if it is not. */
static inline uint64_t beyond(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}
