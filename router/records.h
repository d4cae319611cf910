/* The connections that the dispatcher has handed to workers, numbered, with what is told about each of them; and how many each
 * user or container has. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "router/answer.h"
#include "router/peer.h"
#include "router/team.h"

struct record {
	struct member *member; /* NULL: this number is free */
	uint64_t account;      /* peer_account() */
	bool counted;	       /* in the tallies: not one that is refused without a worker of its own */
	uid_t uid;
	pid_t pid;
	uint64_t began; /* CLOCK_MONOTONIC microseconds */
	uint32_t next_free;
	uint64_t bytes[2]; /* from the client, from the engine: when they were counted last */
	char command[16];
	char engine[16];		/* "": none yet */
	char request[REQUEST_LINE_MAX]; /* "": none yet */
};

struct tally {
	struct tally *next;
	uint64_t account;
	unsigned n;
};

struct records {
	struct record *all;
	uint32_t size, used, free;
	unsigned n; /* that count */
	struct tally *tallies;
};

int records_open(struct records *r, uint32_t size, struct error *err);

/* All must have been removed. */
void records_close(struct records *r);

/* A new one; NULL if there are `size`, or no memory. */
struct record *records_add(struct records *r, const struct peer *p, struct member *m);
void records_remove(struct records *r, struct record *record);

uint32_t record_number(const struct records *r, const struct record *record);

/* The record of this number, if it is this worker's. */
struct record *records_find(const struct records *r, uint32_t number, const struct member *m);

/* Any record of this worker; NULL if it has none. */
struct record *records_of(const struct records *r, const struct member *m);

/* How many connections of this account count. */
unsigned records_of_account(const struct records *r, uint64_t account);
