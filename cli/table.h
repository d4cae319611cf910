/* A table that fits the terminal, by libsmartcols. */
#pragma once

#include "cli/terminal.h"
#include "common/error.h"

#define TABLE_COLUMNS_MAX 16

struct table_column {
	const char *title;
	bool right; /* aligned */
	/* What gives way where the terminal is narrow: the column shrinks, its cells lose their beginning; and the columns
	 * that leave go one after the other, 1 first. */
	bool shrinks;
	unsigned leaves; /* 0: it stays, always */
};

struct table_cell {
	const char *text;
	const char *colour; /* the escape sequence; NULL for none */
};

/* Rows of cells, row by row, two spaces apart, each row a line. The caller frees what is returned; NULL is an error. */
char *table_format(const struct table_column *columns, size_t n, const struct table_cell *cells, size_t rows,
		   const struct terminal *t, struct error *err);
