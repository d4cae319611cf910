/* libsmartcols computes widths and shrinks columns, but does not mark cuts, and never drops a column. So the table is
 * printed until it fits, and once more with marks at the cuts. */
#include "cli/table.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <string.h>
#include <wchar.h>

#include "common/cleanup.h"

#define SEPARATOR "  "
#define SHRINKS	  0.1 /* of the terminal, at least: all shrink alike */
#define CELL_MAX  512

struct table {
	const struct table_column *columns;
	size_t n;
	const struct table_cell *cells;
	size_t rows;
	const struct terminal *t;
	bool left[TABLE_COLUMNS_MAX];	 /* it was dropped */
	bool squeezed;			 /* the rest still does not fit: all shrink */
	size_t width[TABLE_COLUMNS_MAX]; /* 0: natural width; else cells are cut to this many columns */
};

/* The text must be printable in this locale. */
static size_t text_width(const char *s)
{
	wchar_t wide[CELL_MAX];
	size_t n = mbstowcs(wide, s, CELL_MAX);
	int width = n == (size_t)-1 ? -1 : wcswidth(wide, n);

	return width < 0 ? strlen(s) : (size_t)width;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Replaces other characters, which libsmartcols would write in hexadecimal. */
static void keep_to_ascii(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s >= 0x80)
			*s = '?';
	}
}

/* Keeps the end of a cell, the important part: the port, or the container's state. */
static void write_cell(const struct table *table, size_t column, const char *text, char ret[static CELL_MAX])
{
	const char *mark = table->t->utf8 ? "…" : "..";
	size_t width = table->width[column], mark_width = table->t->utf8 ? 1 : 2;
	const char *end = text;

	snprintf(ret, CELL_MAX, "%s", text);
	if (!table->t->utf8)
		keep_to_ascii(ret);
	if (width == 0 || text_width(ret) <= width)
		return;
	while (*end && text_width(end) + mark_width > width) {
		do
			end++;
		while (is_continuation(*end));
	}
	snprintf(ret, CELL_MAX, "%s%s", mark, end);
	if (!table->t->utf8)
		keep_to_ascii(ret);
}

static int fill_line(const struct table *table, struct libscols_line *line, const struct table_cell *cells)
{
	char text[CELL_MAX];
	size_t at = 0;
	int r = 0;

	for (size_t k = 0; k < table->n && r == 0; k++) {
		if (table->left[k])
			continue;
		write_cell(table, k, cells[k].text, text);
		r = scols_line_set_data(line, at, text);
		if (r == 0 && cells[k].colour)
			r = scols_cell_set_color(scols_line_get_cell(line, at), cells[k].colour);
		at++;
	}
	return r;
}

static int fill(const struct table *table, struct libscols_table *scols)
{
	const struct terminal *t = table->t;
	int r = scols_table_set_column_separator(scols, SEPARATOR);

	scols_table_enable_colors(scols, t->colour);
	scols_table_set_termforce(scols, t->width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	scols_table_set_termwidth(scols, t->width);
	for (size_t k = 0; k < table->n && r == 0; k++) {
		const struct table_column *c = &table->columns[k];
		bool shrinks = c->shrinks || table->squeezed;
		int flags = (c->right ? SCOLS_FL_RIGHT : 0) | (shrinks ? SCOLS_FL_TRUNC : 0);

		if (!table->left[k] && !scols_table_new_column(scols, c->title, shrinks ? SHRINKS : 1, flags))
			r = -ENOMEM;
	}
	for (size_t k = 0; k < table->rows && r == 0; k++) {
		struct libscols_line *line = scols_table_new_line(scols, NULL);

		r = line ? fill_line(table, line, table->cells + k * table->n) : -ENOMEM;
	}
	return r;
}

/* Reads the resulting widths of the columns. Returns their total. */
static size_t read_widths(const struct table *table, struct libscols_table *scols, size_t *ret)
{
	size_t at = 0, sum = 0;

	for (size_t k = 0; k < table->n; k++) {
		ret[k] = 0;
		if (table->left[k])
			continue;
		ret[k] = scols_column_get_width(scols_table_get_column(scols, at));
		sum += ret[k] + (at > 0 ? strlen(SEPARATOR) : 0);
		at++;
	}
	return sum;
}

/* Prints it unchanged. NULL: out of memory. */
static char *print(const struct table *table, size_t *ret_widths, size_t *ret_width)
{
	struct libscols_table *scols = scols_new_table();
	char *text = NULL;

	*ret_width = 0;
	if (scols && fill(table, scols) == 0 && scols_print_table_to_string(scols, &text) == 0)
		*ret_width = read_widths(table, scols, ret_widths);
	scols_unref_table(scols);
	return text;
}

/* Drops the next column, or makes all shrink; false: nothing is left to drop. */
static bool give_way(struct table *table)
{
	size_t next = table->n;

	for (size_t k = 0; k < table->n; k++) {
		unsigned rank = table->left[k] ? 0 : table->columns[k].leaves;

		if (rank && (next == table->n || rank < table->columns[next].leaves))
			next = k;
	}
	if (next == table->n && table->squeezed)
		return false;
	if (next < table->n)
		table->left[next] = true;
	else
		table->squeezed = true;
	return true;
}

/* libsmartcols pads the cell before an empty one, and ends without a line feed. */
static char *end_lines(const char *text)
{
	char *ret = malloc(strlen(text) + 2), *to = ret;

	for (bool more = ret; more; text++) {
		more = *text != '\0';
		while ((*text == '\n' || !more) && to > ret && to[-1] == ' ')
			to--;
		*to++ = more ? *text : '\n';
	}
	if (ret)
		*to = '\0';
	return ret;
}

char *table_format(const struct table_column *columns, size_t n, const struct table_cell *cells, size_t rows,
		   const struct terminal *t, struct error *err)
{
	struct table table = {.columns = columns, .n = n, .cells = cells, .rows = rows, .t = t};
	size_t widths[TABLE_COLUMNS_MAX], width;
	_cleanup_free_ char *text = NULL;
	char *ret;

	for (size_t k = 0; k < n; k++)
		table.width[k] = columns[k].most;

	do {
		free(text);
		text = print(&table, widths, &width);
	} while (text && t->width && width > t->width && give_way(&table));
	if (text && t->width) {
		memcpy(table.width, widths, sizeof(widths));
		free(text);
		text = print(&table, widths, &width);
	}
	ret = text ? end_lines(text) : NULL;
	if (!ret)
		error_errno(err, ENOMEM, "cannot print the table");
	return ret;
}
