/* The error contract of all library functions.
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
	int code; /* an errno value, or 0 if none fits */
	char text[1024];
};

/* Sets *err; code is an errno value or 0. Always -1, so that a caller can `return error_set(…)`. */
#define error_set(err, code, ...) (error_set_text(err, code, __VA_ARGS__), error_failed())

/* As error_set(), with ": strerror(code)" appended. Pass errno. */
#define error_errno(err, code, ...) (error_set_errno(err, code, __VA_ARGS__), error_failed())

/* Puts "context: " before the text. Keeps the code. Always -1. */
#define error_context(err, ...) (error_add_context(err, __VA_ARGS__), error_failed())

/* The functions behind the macros, which let a static analyser see in every file that the value is -1. */
void error_set_text(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void error_set_errno(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void error_add_context(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline int error_failed(void)
{
	return -1;
}
