/* What standard output is written to: a person's terminal, or a file or program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct terminal {
	size_t width; /* columns; 0: nobody's, what is written there may be as wide as it likes */
	bool colour;
	bool utf8; /* else ASCII signs */
};

/* Colour is for a terminal that is not dumb, unless NO_COLOR is set. The character set is that of the locale, whose
 * LC_CTYPE this sets for the whole process: widths are counted with it. */
struct terminal terminal_look(int fd);

/* What gives the colour back. */
#define TERMINAL_PLAIN "\033[0m"
