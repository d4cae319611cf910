/* The destination of standard output: a person's terminal, or a file or program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct terminal {
	size_t width; /* columns; 0: not a terminal, any width */
	bool colour;
	bool utf8; /* else ASCII signs */
};

/* Uses colour on a terminal that is not dumb, unless NO_COLOR is set. The character set is that of the locale; sets
 * its LC_CTYPE for the whole process, for counting widths. */
struct terminal terminal_look(int fd);

/* Resets the colour. */
#define TERMINAL_PLAIN "\033[0m"
