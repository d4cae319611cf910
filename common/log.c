#include "common/log.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/parse.h"

#define SETTLE_MSEC 100

static bool has_logged;

void log_line(int level, const char *format, ...)
{
	char text[2048];
	char line[2200];
	va_list ap;
	int n;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_make_printable(text);
	if (getenv("JOURNAL_STREAM"))
		n = snprintf(line, sizeof(line), "<%d>%s\n", level, text);
	else
		n = snprintf(line, sizeof(line), "%s: %s\n", program_invocation_short_name, text);
	has_logged = true;
	/* One write, so that lines of several processes never mix. Nobody is left to tell of a failure. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

/* SIOCOUTQ: what the other end of a Unix socket has not read yet. Anything else is nothing to wait for. */
static bool wait_read(int *msec)
{
	int unread = 0;

	for (; *msec > 0; (*msec)--) {
		if (ioctl(STDERR_FILENO, SIOCOUTQ, &unread) < 0)
			return false;
		if (unread == 0)
			return true;
		(void)poll(NULL, 0, 1);
	}
	return false;
}

void log_settle(void)
{
	int msec = SETTLE_MSEC;

	if (!has_logged || !getenv("JOURNAL_STREAM"))
		return;
	/* journald looks at the process after it has read the line. It drops an empty line, and when it has read that
	 * one it is done with the line before. */
	if (wait_read(&msec) && write(STDERR_FILENO, "\n", 1) == 1)
		(void)wait_read(&msec);
}
