/* The variables by which the programs of an instance pass things to each other: docs/architecture.md has the same
 * table.
 *
 * Only environment.c knows their names and how a value is written. A variable holds a descriptor, a number or a list;
 * accepted.h and sources.h define the lists.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

enum variable {
	VARIABLE_KEEPER,   /* a descriptor: the channel to the keeper (channel.h) */
	VARIABLE_DEADLINE, /* CLOCK_MONOTONIC microseconds: when the container must be ready */
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

/* Sets the variable for the next program. */
int environment_set_number(enum variable v, uint64_t value, struct error *err);
int environment_set_text(enum variable v, const char *text, struct error *err);
void environment_unset(enum variable v);

/* The value as text; NULL if the variable is not set. */
const char *environment_text(enum variable v);

/* A descriptor; -1 if the variable is not set. Does not change whether the next program inherits it. */
int environment_fd(enum variable v, int *ret, struct error *err);

/* The same for a descriptor of this program alone: it must be open, and becomes close-on-exec. */
int environment_take_fd(enum variable v, int *ret, struct error *err);

/* VARIABLE_DEADLINE, else startup_timeout microseconds from now. */
int environment_deadline(uint64_t startup_timeout, uint64_t *ret, struct error *err);

/* VARIABLE_MARK, else TRANSPARENT_MARK. */
int environment_mark(unsigned *ret, struct error *err);

/* Removes the variables that the service manager or another of our programs has set for this process alone: the next
 * program gets only those that are set from here on. keep_names: except the names of the listening sockets, which are
 * passed on. */
void environment_forget(bool keep_names);

/* A copy of the environment without these variables, for a command that is not ours; NULL on out of memory. The array
 * belongs to the caller, the strings do not. */
char **environment_for_others(void);
