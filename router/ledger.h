/* One structured journal entry for each connection that has ended: journalctl MESSAGE_ID=…, SOCKWAKE_UID=…
 *
 * Whatever clients do, at most LEDGER_RATE entries a second are written, after a burst; the next one tells how many were left
 * out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LEDGER_MESSAGE_ID "4f4a3b6d0f3c4a8f9a6d5be0c8f1a7d2"
#define LEDGER_RATE	  5
#define LEDGER_BURST	  20

struct ledger {
	uint64_t tokens; /* in microseconds of earned time */
	uint64_t last;	 /* CLOCK_MONOTONIC microseconds */
	uint64_t left_out;
};

struct ledger_entry {
	uid_t uid;
	pid_t pid;
	const char *command, *engine, *request, *outcome; /* "": unknown; a usual end */
	uint64_t bytes[2];				  /* from the client, from the engine */
	uint64_t usec;					  /* how long it lasted */
};

/* May an entry be written now? Counts those that may not. */
bool ledger_allows(struct ledger *l, uint64_t now);

void ledger_write(struct ledger *l, const struct ledger_entry *e);
