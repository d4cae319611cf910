/* One line on standard error, for programs (never for library code).
 *
 * Under systemd (JOURNAL_STREAM is set) the line carries a priority prefix as in sd-daemon(3), elsewhere the program's
 * name. Control characters in the text are replaced by '?', so that no outside text can forge a line.
 */
#pragma once

#include <syslog.h>

/* level is one of syslog.h's LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG. */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits until the journal has taken in what was logged, at most a tenth of a second. It finds out by the process which
 * unit wrote a line: a program that logs and ends at once would be missing from `journalctl --user -u`. Nothing where this
 * process has logged nothing. */
void log_settle(void);
