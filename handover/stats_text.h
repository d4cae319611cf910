/* The status text of the service of an awake instance. */
#pragma once

#include <stdint.h>

#include "handover/stats.h"

/* "2 connections (41 in all); 76.2 KiB in, 1.1 MiB out; up 25min". up: microseconds. */
#define STATS_TEXT_MAX 512
const char *stats_text(const struct stats *s, uint64_t up, char ret[static STATS_TEXT_MAX]);

/* The client that has begun the wake: "198.51.100.2", "a client on a Unix socket"; "" if that is not known. */
#define STATS_CLIENT_MAX 64
const char *stats_text_client(const struct stats *s, char ret[static STATS_CLIENT_MAX]);

/* "1 connection was served", "2 connections were served". */
const char *stats_text_served(uint64_t n, char ret[static STATS_TEXT_MAX]);
