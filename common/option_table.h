/* A program's options: one table, of which both its parser and its --help are made.
 *
 * The rules are those of getopt_long(3), "--name VALUE", "--name=VALUE", "-n VALUE", "-nVALUE", "--", but that long options
 * have to be written out: what a short form means may change, and `--all` is too much to be meant by `--a`.
 * tests/unit/cli_option_table_test.c holds the manual and the completions to the tables.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"

struct option_row {
	const char *option; /* as in "--all" and "-p, --publish SPEC", which takes a value; NULL: a heading */
	const char *help;   /* NULL: the table ends here */

	/* Takes the value (else NULL) for the member at `offset`. May return OPTIONS_DONE, too. */
	int (*take)(void *member, const char *value, const struct option_row *row, struct error *err);
	unsigned offset;

	unsigned sets; /* where tables share rows, a table has those that ask for none but its own bits */
};

/* Within a help that takes several lines. */
#define OPTION_NEXT_LINE "\n                              "

/* What somebody wrote that is no option. */
struct option_fault {
	const char *program;
	const char *argument; /* the word, with its "=VALUE" */
	char letter;	      /* that is unknown; 0: a long option */
	bool lacks_value;     /* else there is no such option, or it takes no value */
};

struct option_table {
	const char *usage; /* the command line */
	const char *about; /* a sentence without its full stop; NULL: none */
	const struct option_row *rows;

	/* Says what is wrong. */
	int (*refuse)(const struct option_table *t, const struct option_fault *f, struct error *err);
	unsigned sets;
	bool mixed; /* options may also come after plain arguments */
};

enum options_result {
	OPTIONS_WRONG = -1, /* *err is set */
	OPTIONS_RUN = 0,
	OPTIONS_DONE = 1, /* --help or the like has been answered: the program ends with 0 */
};

/* Values belong to argv. What is no option is moved to the end where options may come after it: *ret_rest is where that
 * begins. */
enum options_result option_table_parse(const struct option_table *t, int argc, char *argv[], void *into, int *ret_rest,
				       struct error *err);

/* What --help prints. */
void option_table_print(const struct option_table *t);

bool option_table_has(const struct option_table *t, const struct option_row *row);

/* "--publish" and what follows it in the row. */
const char *option_row_name(const struct option_row *row);

/* For `take`: a const char *, a bool that is set, a time span as a uint64_t in microseconds. */
int option_take_text(void *member, const char *value, const struct option_row *row, struct error *err);
int option_take_flag(void *member, const char *value, const struct option_row *row, struct error *err);
int option_take_span(void *member, const char *value, const struct option_row *row, struct error *err);
