#include "cli/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/wrap.h"

/* https://no-color.org: set, and not empty. */
static bool is_colour_wanted(void)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(none && *none) && term && *term && strcmp(term, "dumb") != 0;
}

struct terminal terminal_look(int fd)
{
	bool is_terminal = isatty(fd);

	setlocale(LC_CTYPE, "");
	return (struct terminal){
		.width = wrap_width(fd),
		.colour = is_terminal && is_colour_wanted(),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
}
