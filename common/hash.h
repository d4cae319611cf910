/* FNV-1a 64 (RFC 9923). Names that differ must not get the same file by accident; it need not resist intent. */
#pragma once

#include <stdint.h>

#define FNV1A_BASIS 0xcbf29ce484222325ULL

static inline uint64_t fnv1a(uint64_t hash, const char *s)
{
	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3ULL;
	return hash;
}
