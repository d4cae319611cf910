/* The options that several commands take. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "common/error.h"
#include "common/option_table.h"
#include "units/store.h"

/* The error code for wrong usage: exit status 2. */
#define USAGE_ERROR (-2)

/* The arguments of all commands except create. */
struct arguments {
	enum scope scope; /* --scope, else that of the effective user */
	const char *name; /* --name or the plain argument, if one is allowed; NULL: none */
	char **names;	  /* NULL-terminated: all of them, if several are allowed; NULL: none */
	char *only[2];	  /* the array for names if there is only --name */
	bool json;
	bool all;
	bool follow;
	bool no_selinux;
	bool with_container;
	bool accept_volumes;
	unsigned lines; /* 0: all */
	uint64_t hold;	/* --for, in microseconds; 0: not given */
};

/* The arguments that a command takes: the `sets` of its table. */
enum {
	TAKES_NAME = 1,
	NEEDS_NAME = 2 | TAKES_NAME,
	TAKES_JSON = 4,
	TAKES_ALL = 8,
	TAKES_LOGS = 16,
	TAKES_SELINUX = 32,
	TAKES_CONTAINER = 64,
	TAKES_FOR = 128,
	TAKES_VOLUMES = 512,
	/* any number of plain arguments; with TAKES_ALL either some or --all */
	TAKES_NAMES = 256 | TAKES_NAME
};
extern const struct option_row arguments_rows[];

/* For the table of a command on instances. */
#define ARGUMENTS(takes) .rows = arguments_rows, .refuse = arguments_refuse, .mixed = true, .sets = (takes)

int arguments_parse(int argc, char *argv[], const struct option_table *t, struct arguments *ret, struct error *err);

/* Like option_table_parse(), except that --help has been handled before. */
int arguments_read(int argc, char *argv[], const struct option_table *t, void *into, int *ret_rest, struct error *err);

/* For each of our tables: suggests the option that may have been meant. */
int arguments_refuse(const struct option_table *t, const struct option_fault *f, struct error *err);

/* The value of --scope, for an enum scope. */
int arguments_take_scope(void *scope, const char *value, const struct option_row *row, struct error *err);

/* Takes a name from the n plain arguments or from --name: at most one of them, or both the same. */
int arguments_name(int n, char *const *plain, const char **name, struct error *err);

/* Could this be the name of an instance? */
int arguments_check_name(const char *name, struct error *err);
