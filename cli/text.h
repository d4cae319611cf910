/* Text for people: spans, sizes, points of time, foreign text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_MAX 64

/* "3min 20s", "2h 5min", "12.3 ms": the two largest units. */
const char *text_span(uint64_t usec, char ret[static TEXT_MAX]);

/* What a wake took: "237.1 ms", "2.06 s", "3min 20s". */
const char *text_took(uint64_t usec, char ret[static TEXT_MAX]);

/* The largest unit alone, of whole seconds: "3min", "0s". */
const char *text_span_briefly(uint64_t usec, char ret[static TEXT_MAX]);

/* Since a point of CLOCK_REALTIME: "3min 20s"; "-" for 0. */
const char *text_since(uint64_t wall_usec_then, char ret[static TEXT_MAX]);

/* A point of CLOCK_REALTIME in local time: "18:00:00 (2h 5min left)", with the date if on another day. */
const char *text_until(uint64_t wall_usec_then, char ret[static TEXT_MAX]);

/* The same in short: "18:00", "Sat 18:00" within a week, else "2026-11-27". */
const char *text_clock(uint64_t wall_usec_then, uint64_t wall_now, char ret[static TEXT_MAX]);

/* A point of CLOCK_REALTIME in local time, to the second: "18:00:05", "Sat 18:00:05" within a week, else with the
 * date. */
const char *text_time(uint64_t wall_usec_then, uint64_t wall_now, char ret[static TEXT_MAX]);

/* "1.5 MB" */
const char *text_bytes(uint64_t bytes, char ret[static TEXT_MAX]);

/* text_make_printable() for a stream of text in pieces: keeps line feeds and tabs, and drops a carriage return before
 * a line feed. Begins zeroed; text_filter_end() writes an incomplete character. Both return whether writing
 * succeeded. */
struct text_filter {
	char pending[5]; /* an incomplete character, or a carriage return */
	size_t n;
};
bool text_filter(struct text_filter *f, FILE *to, const char *text, size_t len);
bool text_filter_end(struct text_filter *f, FILE *to);
