/* The error contract of every library function here.
 *
 * A function that can fail takes `struct error *err` as its last argument and returns 0 on success and -1 on failure
 * (or a pointer and NULL). It sets *err only on failure, and always then. Callers add context on the way up with
 * error_context(). Library code never logs; a program prints the error once, at its top.
 *
 * The text is one sentence without a final newline: what happened, to what, and what to do about it.
 */
#pragma once

#include <stdarg.h>

struct error {
	int code; /* an errno value, or 0 where none fits */
	char text[1024];
};

/* Sets *err; code is an errno value or 0. Always returns -1, so that a caller can `return error_set(…)`. */
int error_set(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As error_set(), with ": strerror(code)" appended. Pass errno. */
int error_errno(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the text. Keeps the code. Always returns -1. */
int error_context(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
