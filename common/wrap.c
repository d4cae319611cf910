#include "common/wrap.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/parse.h"

#define WIDTH_ASSUMED 80
#define WIDTH_MAX     10000

size_t wrap_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	struct error ignored;
	uint64_t n;

	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	if (columns && parse_u64("COLUMNS", columns, 1, WIDTH_MAX, &n, &ignored) == 0)
		return n;
	return WIDTH_ASSUMED;
}

/* Is this space between a number and its unit? */
static bool joins_unit(const char *s, size_t n)
{
	static const char *const units[] = {"ms", "s", "B", "kB", "MB", "GB", "TB", "PB", "EB"};

	for (size_t k = 0; n > 0 && isdigit((unsigned char)s[n - 1]) && k < sizeof(units) / sizeof(*units); k++) {
		size_t len = strlen(units[k]);

		if (strncmp(s + n + 1, units[k], len) == 0 && !isalnum((unsigned char)s[n + 1 + len]))
			return true;
	}
	return false;
}

/* The length up to the next space outside quotation marks. A mark after a letter is an apostrophe. */
static size_t word_length(const char *s)
{
	bool quoted = false;
	size_t n = 0;

	for (; s[n] && (s[n] != ' ' || quoted || joins_unit(s, n)); n++) {
		if (s[n] == '\'' && !quoted)
			quoted = (n == 0 || !isalnum((unsigned char)s[n - 1])) && strchr(s + n + 1, '\'');
		else if (s[n] == '\'')
			quoted = false;
	}
	return n;
}

static size_t count_characters(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t k = 0; k < len; k++)
		n += ((unsigned char)s[k] & 0xc0) != 0x80;
	return n;
}

void wrap_text(FILE *to, const char *text, size_t indent, size_t width)
{
	size_t column = indent, len;

	for (; *text; text += len + strspn(text + len, " ")) {
		size_t n;

		len = word_length(text);
		n = count_characters(text, len);
		if (column > indent && width && column + 1 + n > width) {
			fprintf(to, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', to);
			column++;
		}
		fprintf(to, "%.*s", (int)len, text);
		column += n;
	}
	fputc('\n', to);
}
