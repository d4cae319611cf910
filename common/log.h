/* One line on standard error, for programs (never for library code).
 *
 * Under systemd (JOURNAL_STREAM is set) the line begins with a priority prefix as in sd-daemon(3), elsewhere with the
 * program's name. Control characters in the text become '?', so that no outside text can forge a line.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

#include "common/clock.h"

/* level is LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO or LOG_DEBUG of syslog.h. */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits until the journal has read what was logged, at most a tenth of a second. The journal finds the unit of a line
 * by the process: without this, `journalctl --user -u` would miss the lines of a program that logs and ends at once.
 * Does nothing if this process has logged nothing. */
void log_settle(void);

/* The debug level: an administrator sets SOCKWAKE_LOG=debug in the environment. A program then logs each of its steps
 * by log_debug(), which otherwise costs one branch.
 *
 *	keeper +12.3 ms: the activator ended with status 0
 *
 * The steps contain no secrets: no environment of a container, no body of a request. */
#define LOG_VARIABLE "SOCKWAKE_LOG"
#define LOG_INVALID  "SOCKWAKE_LOG is ignored: 'debug' is the only value that it may have"

/* Reads the variable, once, and removes it from the environment: other programs get it only by log_hand_on(). who: this
 * program, a string that must live on. False: the variable has another value, and is ignored. */
bool log_begin(const char *who);

/* A wake began at this time (CLOCK_MONOTONIC microseconds); the times of steps count from it. Before, they count from
 * log_begin(), or from the time that the previous program has handed on. */
void log_wake(uint64_t began);

/* Puts the variable back into the environment, with the beginning of the wake, for the next program of ours. */
void log_hand_on(void);

/* For log_debug(), and for steps that cost more than a branch. The proxy clears it when it confines itself. */
extern bool log_is_debug;

#define log_debug(...)                                                                                                 \
	do {                                                                                                           \
		if (__builtin_expect(log_is_debug, false))                                                             \
			log_step(__VA_ARGS__);                                                                         \
	} while (0)
void log_step(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How long a step took, in milliseconds: from log_clock(), which is 0 without the debug level, until now. */
static inline uint64_t log_clock(void)
{
	return log_is_debug ? now_usec() : 0;
}

static inline double log_took(uint64_t since)
{
	return (double)(now_usec() - since) / (double)USEC_PER_MSEC;
}
