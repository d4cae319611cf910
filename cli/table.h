/* A table that fits the terminal, by libsmartcols. */
#pragma once

#include "cli/terminal.h"
#include "common/error.h"

#define TABLE_COLUMNS_MAX 16

struct table_column {
	const char *title;
	bool right; /* aligned */
	/* On a narrow terminal a column that shrinks cuts off the beginnings of its cells, and the columns with
	 * `leaves` are dropped one after another, 1 first. */
	bool shrinks;
	unsigned leaves; /* 0: never dropped */
	size_t most;	 /* so many columns of the screen, with or without a terminal: longer cells are cut; 0: any */
};

struct table_cell {
	const char *text;
	const char *colour; /* the escape sequence; NULL: none */
};

/* Formats cells, given row by row: each row is a line, columns are two spaces apart. The caller frees the result;
 * NULL: an error. */
char *table_format(const struct table_column *columns, size_t n, const struct table_cell *cells, size_t rows,
		   const struct terminal *t, struct error *err);
