/* One line on standard error, for programs (never for library code).
 *
 * Under systemd (JOURNAL_STREAM is set) the line carries a priority prefix as in sd-daemon(3), elsewhere the program's
 * name. Control characters in the text are replaced by '?', so that no outside text can forge a line.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

#include "common/clock.h"

/* level is one of syslog.h's LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG. */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits until the journal has taken in what was logged, at most a tenth of a second. It finds out by the process which
 * unit wrote a line: a program that logs and ends at once would be missing from `journalctl --user -u`. Nothing where this
 * process has logged nothing. */
void log_settle(void);

/* The debug level: SOCKWAKE_LOG=debug in the environment, which an administrator sets. A program tells each of its steps
 * by log_debug(), which is one branch without it.
 *
 *	keeper +12.3 ms: the activator ended with status 0
 *
 * Nothing secret is told: no environment of a container, no body of a request. */
#define LOG_VARIABLE "SOCKWAKE_LOG"
#define LOG_INVALID  "SOCKWAKE_LOG is ignored: 'debug' is the only value that it may have"

/* Reads the variable, once, and takes it out of the environment: no other program gets it but by log_hand_on(). who: this
 * program, a string that lives on. False: the variable has another value, and is ignored. */
bool log_begin(const char *who);

/* A wake has begun at this time (CLOCK_MONOTONIC microseconds), from which the steps count: until then from log_begin(), or
 * from what the program before has handed on. */
void log_wake(uint64_t began);

/* Puts it back into the environment, with the beginning of the wake, for a program of ours that is executed next. */
void log_hand_on(void);

/* For log_debug(), and where a step costs more than a branch. The proxy ends it when it confines itself. */
extern bool log_is_debug;

#define log_debug(...)                                                                                                 \
	do {                                                                                                           \
		if (__builtin_expect(log_is_debug, false))                                                             \
			log_step(__VA_ARGS__);                                                                         \
	} while (0)
void log_step(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How long a step took: from log_clock(), which is 0 without the debug level, until now, in milliseconds. */
static inline uint64_t log_clock(void)
{
	return log_is_debug ? now_usec() : 0;
}

static inline double log_took(uint64_t since)
{
	return (double)(now_usec() - since) / (double)USEC_PER_MSEC;
}
