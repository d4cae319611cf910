/* The options that several commands take. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "common/error.h"
#include "common/option_table.h"
#include "units/store.h"

/* The code of an error that is wrong usage: exit status 2. */
#define USAGE_ERROR (-2)

/* What the commands but create take. */
struct arguments {
	enum scope scope; /* --scope, else that of the effective user */
	const char *name; /* --name or the plain argument, where one may be given; NULL: none */
	char **names;	  /* NULL-terminated: all of them, where several may be given; none: NULL */
	char *only[2];	  /* what names points to when there is --name alone */
	bool json;
	bool all;
	bool follow;
	bool no_selinux;
	bool with_container;
	bool accept_volumes;
	unsigned lines; /* 0: all */
	uint64_t hold;	/* --for, in microseconds; 0: not given */
};

/* What a command takes: the `sets` of its table. */
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
	TAKES_NAMES = 256 | TAKES_NAME,
	NEEDS_NAMES = 1024 | TAKES_NAMES
};
extern const struct option_row arguments_rows[];

/* For the table of a command that is about instances. */
#define ARGUMENTS(takes) .rows = arguments_rows, .refuse = arguments_refuse, .mixed = true, .sets = (takes)

int arguments_parse(int argc, char *argv[], const struct option_table *t, struct arguments *ret, struct error *err);

/* option_table_parse(), but that --help has been answered before. */
int arguments_read(int argc, char *argv[], const struct option_table *t, void *into, int *ret_rest, struct error *err);

/* For every table of ours: says what may have been meant. */
int arguments_refuse(const struct option_table *t, const struct option_fault *f, struct error *err);

/* The value of --scope, for an enum scope. */
int arguments_take_scope(void *scope, const char *value, const struct option_row *row, struct error *err);

/* The scope of who runs this: root's is the system. */
enum scope scope_default(void);

/* A name as the plain argument, of which there are n, or with --name: at most one of them, or both the same. */
int arguments_name(int n, char *const *plain, const char **name, struct error *err);
