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

/* #syscalls: clock_gettime ioctl poll ppoll write */

#define SETTLE_MSEC 100

#define TEXT_MAX 2048

#define DEBUG "debug"

bool log_is_debug;

static const char *program;
static uint64_t wake_began; /* or when the program began, outside a wake */
static bool has_logged;

static void write_line(int level, char text[static TEXT_MAX])
{
	char line[TEXT_MAX + 152];
	int n;

	text_make_printable(text);
	if (getenv("JOURNAL_STREAM"))
		n = snprintf(line, sizeof(line), "<%d>%s\n", level, text);
	else if (level == LOG_DEBUG) /* the line begins with the program's name */
		n = snprintf(line, sizeof(line), "%s\n", text);
	else
		n = snprintf(line, sizeof(line), "%s: %s\n", program_invocation_short_name, text);
	has_logged = true;
	/* One write, so that lines of several processes never mix. If it fails, there is nowhere to report it. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

void log_line(int level, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	write_line(level, text);
}

/* "debug", or "debug@MICROSECONDS" from the previous program. */
static bool take_level(const char *text)
{
	size_t len = strlen(DEBUG);
	struct error ignored;

	if (strncmp(text, DEBUG, len) != 0)
		return false;
	return !text[len] ||
	       (text[len] == '@' && parse_u64("", text + len + 1, 0, wake_began, &wake_began, &ignored) == 0);
}

bool log_begin(const char *who)
{
	const char *text = getenv(LOG_VARIABLE);

	program = who;
	wake_began = now_usec();
	log_is_debug = false;
	if (!text || !*text)
		return true;
	log_is_debug = take_level(text);
	(void)unsetenv(LOG_VARIABLE);
	return log_is_debug;
}

void log_wake(uint64_t began)
{
	wake_began = began;
}

void log_hand_on(void)
{
	char text[sizeof(DEBUG) + 24];

	if (!log_is_debug)
		return;
	snprintf(text, sizeof(text), DEBUG "@%llu", (unsigned long long)wake_began);
	(void)setenv(LOG_VARIABLE, text, 1);
}

void log_step(const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	int n;

	n = snprintf(text, sizeof(text), "%s +%.1f ms: ", program, log_took(wake_began));
	va_start(ap, format);
	vsnprintf(text + n, sizeof(text) - (size_t)n, format, ap);
	va_end(ap);
	write_line(LOG_DEBUG, text);
}

/* Waits until the other end of the Unix socket has read everything (SIOCOUTQ). Other descriptors: nothing to wait
 * for. */
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
	/* journald looks up the process after it has read a line. It ignores an empty line; once it has read that, it
	 * has finished the line before. */
	if (wait_read(&msec) && write(STDERR_FILENO, "\n", 1) == 1)
		(void)wait_read(&msec);
}
