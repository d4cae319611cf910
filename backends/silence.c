#include "backends/silence.h"

#include <stdio.h>
#include <string.h>

#include "backends/engine.h"

#define ENGINES_MAX 8 /* the others are asked again */

static struct {
	uint64_t least; /* 0: off */
	char sockets[ENGINES_MAX][ENGINE_SOCKET_MAX];
	size_t n;
} silence;

void silence_ask_once(uint64_t least)
{
	silence.least = least;
	silence.n = 0;
}

bool silence_note(const char *socket, uint64_t waited)
{
	if (silence.least == 0 || waited < silence.least || silence.n == ENGINES_MAX)
		return false;
	snprintf(silence.sockets[silence.n++], ENGINE_SOCKET_MAX, "%s", socket);
	return true;
}

bool silence_is_known(const char *socket)
{
	for (size_t k = 0; k < silence.n; k++) {
		if (strcmp(silence.sockets[k], socket) == 0)
			return true;
	}
	return false;
}
