/* Strict parsing of numbers, durations and names: accepts the whole string, or sets an error that names the value and
 * the rule. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

/* Decimal digits only, min <= value <= max. `what` names the value in the error ("the listening port"). */
int parse_u64(const char *what, const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct error *err);

/* 1 to 65535. */
int parse_port(const char *what, const char *s, uint16_t *ret, struct error *err);

/* The number of a group as systemd takes it: without a leading zero, and neither 65535 nor 4294967295, which mean "no group"
 * in some system calls. */
int parse_group_number(const char *s, gid_t *ret, struct error *err);

/* A time span as in systemd.time(7), in microseconds: "90", "15min", "1h 30min", "2.5s", "500ms", "infinity". A bare
 * number is seconds, "m" is minutes ("M" and "month" are months, as in systemd). At most SPAN_MAX, so that points of
 * time and sums of a few spans stay below USEC_INFINITY; or USEC_INFINITY itself. */
#define SPAN_MAX (UINT64_MAX / 16)
int parse_duration(const char *what, const char *s, uint64_t *ret_usec, struct error *err);

/* Instance names: [A-Za-z0-9_-]+, 1 to 240 bytes (a unit's name has at most 255 with its suffix). */
bool instance_name_is_valid(const char *s);

/* Container names and identifiers as both engines allow them: [A-Za-z0-9][A-Za-z0-9_.-]*, at most 255 bytes. */
bool container_name_is_valid(const char *s);

/* NAME.service as systemd accepts it, without a template instance: at most 255 bytes (systemd.unit(5)). */
bool service_name_is_valid(const char *s);

/* An absolute path of printable UTF-8 without control characters and without ".." components, shorter than
 * PATH_MAX. */
bool path_is_valid(const char *s);

/* Well-formed UTF-8 (RFC 3629) without control characters and without characters that reorder the text around them. */
bool text_is_printable(const char *s);

/* Makes the text printable: each other byte becomes '?'. */
void text_make_printable(char *s);
