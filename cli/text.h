/* How the commands print for people: spans, sizes, points of time, text of others. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_MAX 64

/* "3min 20s", "2h 5min", "12.3 ms": the two largest units. */
const char *text_span(uint64_t usec, char ret[static TEXT_MAX]);

/* The largest unit alone, of whole seconds: "3min", "0s". */
const char *text_span_briefly(uint64_t usec, char ret[static TEXT_MAX]);

/* Since a point of CLOCK_REALTIME: "3min 20s"; "-" for 0. */
const char *text_since(uint64_t wall_usec_then, char ret[static TEXT_MAX]);

/* A point of CLOCK_REALTIME in local time: "18:00:00 (2h 5min left)", with the date when it is another day's. */
const char *text_until(uint64_t wall_usec_then, char ret[static TEXT_MAX]);

/* The same where there is little room: "18:00", "Sat 18:00" within a week, else "2026-11-27". */
const char *text_clock(uint64_t wall_usec_then, uint64_t wall_now, char ret[static TEXT_MAX]);

/* "1.5 MB" */
const char *text_bytes(uint64_t bytes, char ret[static TEXT_MAX]);

/* text_make_printable() for a stream of text that comes in pieces: line feeds and tabs stay, and a carriage return in
 * front of a line feed goes. Begins zeroed; text_filter_end() writes what is left of a character. Both say whether writing went well. */
struct text_filter {
	char pending[5]; /* of one character, or a carriage return */
	size_t n;
};
bool text_filter(struct text_filter *f, FILE *to, const char *text, size_t len);
bool text_filter_end(struct text_filter *f, FILE *to);

/* Text whose first line begins in column `indent`, where the writing has got to; the others are indented so far. Where it
 * can be, no line is wider than `width` (0: one line). What stands between quotation marks is one word: a command that is
 * broken cannot be copied. */
void text_wrap(FILE *to, const char *text, size_t indent, size_t width);
