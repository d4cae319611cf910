/* The error contract of all library functions.
 *
 * A function that can fail takes `struct error *err` as its last argument and returns 0 on success and -1 on failure
 * (or a pointer and NULL). It sets *err only on failure, and always then: a failure that is none to the caller is
 * forgiven with error_forgive(), so that *err says nothing after success. Callers add context on the way up with
 * error_context(). Library code never logs; a program prints the error once, at its top, where builds with sanitizers
 * see that the contract was kept (error_settle()).
 *
 * The text is one sentence without a final newline: what happened, to what, and what to do about it.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

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

/* Nothing has failed after all. Always 0. */
static inline int error_clear(struct error *err)
{
	err->code = 0;
	err->text[0] = '\0';
	return 0;
}

/* Did it fail for this reason, which is none for the caller to fail? Then nothing has failed. */
static inline bool error_forgive(struct error *err, int code)
{
	return err->code == code && error_clear(err) == 0;
}

/* At the top of a program, with what its work has returned and an error that was cleared before: in builds with sanitizers
 * it ends the program where -1 came without an error, or an error without -1. Returns r. */
int error_settle(int r, const struct error *err);
