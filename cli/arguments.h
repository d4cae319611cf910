/* The options that several commands take. */
#pragma once

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>

#include "common/error.h"
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
int arguments_parse(int argc, char *argv[], int takes, struct arguments *ret, struct error *err);

/* The scope of who runs this: root's is the system. */
enum scope scope_default(void);

/* getopt_long(3), which begins anew with optind = 0; long options have to be written out. Returns the option's code, 0 at the
 * end, -1 with *err set. *ret_index: of a long option; a short one has -1. */
int arguments_next(int argc, char *argv[], const char *shorts, const struct option *options, int *ret_index,
		   struct error *err);

/* A name as the plain argument or with --name: at most one of them, or both the same. */
int arguments_name(int argc, char *argv[], const char **name, struct error *err);
