#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void log_line(int level, const char *format, ...)
{
	char text[2048];
	char line[2200];
	va_list ap;
	int n;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	if (getenv("JOURNAL_STREAM"))
		n = snprintf(line, sizeof(line), "<%d>%s\n", level, text);
	else
		n = snprintf(line, sizeof(line), "%s: %s\n", program_invocation_short_name, text);
	/* One write, so that lines of several processes never mix. Nobody is left to tell of a failure. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}
