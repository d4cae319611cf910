#include "common/log.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SETTLE_MSEC 100

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

void log_settle(void)
{
	int unread = 0;

	/* SIOCOUTQ: what the other end of a Unix socket has not read yet. Anything else is nothing to wait for. */
	for (int msec = 0; msec < SETTLE_MSEC; msec++) {
		if (ioctl(STDERR_FILENO, SIOCOUTQ, &unread) < 0 || unread == 0)
			return;
		(void)poll(NULL, 0, 1);
	}
}
