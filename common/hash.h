/* FNV-1a 64 (RFC 9923). Different names must not get the same file by accident; the hash need not resist an
 * attacker. */
#pragma once

#include <stdint.h>

#define FNV1A_BASIS 0xcbf29ce484222325ULL

static inline uint64_t fnv1a(uint64_t hash, const char *s)
{
	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3ULL;
	return hash;
}
