/* The variables by which the programs of an instance hand things to each other: docs/architecture.md has the same table.
 *
 * Nobody else spells a name, or knows how a value is written down. What a variable holds is a descriptor, a number or a
 * list; accepted.h and sources.h have the lists.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

enum variable {
	VARIABLE_KEEPER,   /* a descriptor: the channel to the keeper (channel.h) */
	VARIABLE_DEADLINE, /* CLOCK_MONOTONIC microseconds until which the container must be ready */
	VARIABLE_STATS,	   /* a descriptor: the shared statistics */
	VARIABLE_HOLD,	   /* a descriptor: the statistics file, to read */
	VARIABLE_PIDFD,	   /* a descriptor: of the container's first process */
	VARIABLE_ACCEPTED, /* the clients that the keeper has accepted (accepted.h) */
	VARIABLE_EXEC,	   /* a descriptor: the proxy, to be executed */
	VARIABLE_ROOT,	   /* a descriptor: the container's root directory */
	VARIABLE_SOURCES,  /* the addresses to connect from (sources.h) */
	VARIABLE_MARK,	   /* the firewall mark (mark.h) */
	VARIABLES,
};

enum {
	READ_BY_ACTIVATOR = 1 << 0,
	READ_BY_NSHELPER = 1 << 1,
	READ_BY_PROXY = 1 << 2,
	READ_BY_ALL = READ_BY_ACTIVATOR | READ_BY_NSHELPER | READ_BY_PROXY,
};

#define ENVIRONMENT_ACCEPTED "SOCKWAKE_ACCEPTED" /* as a literal, for messages */

/* For messages, and for tests. */
const char *environment_name(enum variable v);
unsigned environment_readers(enum variable v);

/* Tells the next program. */
int environment_set_number(enum variable v, uint64_t value, struct error *err);
int environment_set_text(enum variable v, const char *text, struct error *err);
void environment_unset(enum variable v);

/* The value as it stands there; NULL when it is not set. */
const char *environment_text(enum variable v);

/* A descriptor; -1 when the variable is not set. Whether the next program inherits it stays as it is. */
int environment_fd(enum variable v, int *ret, struct error *err);

/* The same, for this program alone: it has to be open, and becomes close-on-exec. */
int environment_take_fd(enum variable v, int *ret, struct error *err);

/* VARIABLE_DEADLINE, else so many microseconds from now on. */
int environment_deadline(uint64_t startup_timeout, uint64_t *ret, struct error *err);

/* VARIABLE_MARK, else TRANSPARENT_MARK. */
int environment_mark(unsigned *ret, struct error *err);

/* Takes out what the service manager or a program of ours has handed to this process alone, so that the next one has only
 * what it is given from here on. keep_names: but for the names of the listening sockets, which are handed on. */
void environment_forget(bool keep_names);

/* A copy of the environment without all that, for a command that is not ours; NULL when there is no memory. The array
 * belongs to the caller, the strings do not. */
char **environment_for_others(void);
