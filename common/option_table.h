/* A program's options: one table for both its parser and its --help.
 *
 * The rules are those of getopt_long(3), "--name VALUE", "--name=VALUE", "-n VALUE", "-nVALUE", "--", except that long
 * options must be written out: the meaning of an abbreviation may change, and `--all` does too much to be abbreviated
 * `--a`. tests/unit/cli_option_table_test.c compares the manual and the completions with the tables.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"

struct option_row {
	const char *option; /* as in "--all" and "-p, --publish SPEC", which takes a value; NULL: a heading */
	const char *help;   /* NULL: the end of the table */

	/* Stores the value (NULL if the option has none) in the member at `offset`. May also return OPTIONS_DONE. */
	int (*take)(void *member, const char *value, const struct option_row *row, struct error *err);
	unsigned offset;

	unsigned sets; /* for shared rows: a table has a row if it has all bits of the row */
};

/* Between the lines of a help text. */
#define OPTION_NEXT_LINE "\n                              "

/* A word that is not a valid option. */
struct option_fault {
	const char *program;
	const char *argument; /* the word, with its "=VALUE" */
	char letter;	      /* the unknown letter; 0: a long option */
	bool lacks_value;     /* otherwise the option is unknown, or takes no value */
};

struct option_table {
	const char *usage; /* the command line */
	const char *about; /* a sentence without its full stop; NULL: none */
	const struct option_row *rows;

	/* Sets *err to what is wrong; NULL: a sentence that names the option and --help. */
	int (*refuse)(const struct option_table *t, const struct option_fault *f, struct error *err);
	unsigned sets;
	bool mixed; /* options may also come after plain arguments */
};

enum options_result {
	OPTIONS_WRONG = -1, /* *err is set */
	OPTIONS_RUN = 0,
	OPTIONS_DONE = 1, /* --help or the like has been answered: the program ends with status 0 */
};

/* Values belong to argv. If options may come after plain arguments, moves the arguments to the end: *ret_rest is the
 * index of the first. */
enum options_result option_table_parse(const struct option_table *t, int argc, char *argv[], void *into, int *ret_rest,
				       struct error *err);

/* Prints the text of --help. */
void option_table_print(const struct option_table *t);

/* After --help or --version: OPTIONS_DONE, or -1 if it could not be written. */
int option_table_end_output(struct error *err);

bool option_table_has(const struct option_table *t, const struct option_row *row);

/* "--publish", and the words after it in the row. */
const char *option_row_name(const struct option_row *row);

/* Values of `take`: a const char *, a bool that is set, a time span as a uint64_t in microseconds. */
int option_take_text(void *member, const char *value, const struct option_row *row, struct error *err);
int option_take_flag(void *member, const char *value, const struct option_row *row, struct error *err);
int option_take_span(void *member, const char *value, const struct option_row *row, struct error *err);
