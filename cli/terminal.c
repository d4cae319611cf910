#include "cli/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/parse.h"

#define WIDTH_ASSUMED 80
#define WIDTH_MAX     10000

/* The width that the terminal reports; a serial line does not know it. */
static size_t find_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	struct error ignored;
	uint64_t n;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	if (columns && parse_u64("COLUMNS", columns, 1, WIDTH_MAX, &n, &ignored) == 0)
		return n;
	return WIDTH_ASSUMED;
}

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
		.width = is_terminal ? find_width(fd) : 0,
		.colour = is_terminal && is_colour_wanted(),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
}
