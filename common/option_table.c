#include "common/option_table.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/parse.h"
#include "common/wrap.h"

bool option_table_has(const struct option_table *t, const struct option_row *row)
{
	return row->option && (row->sets & ~t->sets) == 0;
}

const char *option_row_name(const struct option_row *row)
{
	return row->option + (row->option[1] == '-' ? 0 : strlen("-x, "));
}

/* A command line that is being parsed. */
struct words {
	const struct option_table *table;
	void *into;
	char **argv;
	int next, end;
};

/* Finds a row by "--name", which ends at a "=" or at the end of the word. */
static const struct option_row *find_name(const struct option_table *t, const char *word)
{
	size_t len = strcspn(word, "=");

	for (const struct option_row *row = t->rows; row->help; row++) {
		if (option_table_has(t, row) && strncmp(option_row_name(row), word, len) == 0 &&
		    strchr(" ", option_row_name(row)[len]))
			return row;
	}
	return NULL;
}

static const struct option_row *find_letter(const struct option_table *t, char letter)
{
	for (const struct option_row *row = t->rows; row->help; row++) {
		if (option_table_has(t, row) && row->option[1] == letter && row->option[2] == ',')
			return row;
	}
	return NULL;
}

static bool wants_value(const struct option_row *row)
{
	return row && strchr(option_row_name(row), ' ');
}

static int refuse(const struct option_table *t, const struct option_fault *f, struct error *err)
{
	return error_set(err, EINVAL, "the option '%s' %s: see '%.*s --help'", f->argument,
			 f->lacks_value ? "lacks its value" : "is not known, or takes no value",
			 (int)strcspn(t->usage, " "), t->usage);
}

/* row: NULL if there is no such option. attached: a value in the same word, or NULL. */
static int take(struct words *w, const struct option_row *row, const char *attached, struct option_fault *f,
		struct error *err)
{
	const char *value = attached;

	if (wants_value(row) && !attached && w->next < w->end)
		value = w->argv[w->next++];
	f->lacks_value = wants_value(row) && !value;
	if (!row || f->lacks_value || (attached && !wants_value(row)))
		return (w->table->refuse ? w->table->refuse : refuse)(w->table, f, err);
	return row->take((char *)w->into + row->offset, value, row, err);
}

/* Parses "abVALUE" of "-abVALUE". */
static int take_letters(struct words *w, const char *letters, struct option_fault *f, struct error *err)
{
	const struct option_row *row;
	int r;

	do {
		row = find_letter(w->table, *letters);
		f->letter = row ? '\0' : *letters;
		letters++;
		r = take(w, row, wants_value(row) && *letters ? letters : NULL, f, err);
	} while (r == OPTIONS_RUN && !wants_value(row) && *letters);
	return r;
}

static int take_word(struct words *w, const char *word, struct error *err)
{
	struct option_fault f = {.program = w->argv[0], .argument = word};
	const char *equals = strchr(word, '=');

	if (word[1] != '-')
		return take_letters(w, word + 1, &f, err);
	if (strcmp(word, "--help") != 0)
		return take(w, find_name(w->table, word), equals ? equals + 1 : NULL, &f, err);
	option_table_print(w->table);
	return option_table_end_output(err);
}

enum options_result option_table_parse(const struct option_table *t, int argc, char *argv[], void *into, int *ret_rest,
				       struct error *err)
{
	struct words w = {t, into, argv, argc > 0, argc}; /* without a program name there are no words either */
	int r = OPTIONS_RUN;
	bool ended = false;

	while (w.next < w.end && r == OPTIONS_RUN) {
		char *word = argv[w.next];

		if (!ended && word[0] == '-' && word[1]) {
			w.next++;
			ended = strcmp(word, "--") == 0;
			r = ended ? OPTIONS_RUN : take_word(&w, word, err);
		} else if (t->mixed) {
			memmove(&argv[w.next], &argv[w.next + 1], (size_t)(argc - 1 - w.next) * sizeof(*argv));
			argv[argc - 1] = word;
			w.end--;
		} else {
			break;
		}
	}
	*ret_rest = w.next;
	return r;
}

#define NARROWEST 20

/* Prints each line of the text, wrapped to its own indentation; the first line begins in column `indent`, where the output
 * is. What would be too narrow is left to the terminal. */
static void print_lines(const char *text, size_t indent, size_t width)
{
	for (;;) {
		size_t len = strcspn(text, "\n");
		char line[512];

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		wrap_text(stdout, line, indent, width >= indent + NARROWEST ? width : 0);
		text += len;
		if (!*text++)
			return;
		indent = strspn(text, " ");
		printf("%*s", (int)indent, "");
		text += indent;
	}
}

#define HELP_INDENT (sizeof(OPTION_NEXT_LINE) - 2)

static void print_row(const struct option_row *row, size_t width)
{
	printf("  %-28s%s", row->option, strlen(row->option) < 27 ? "" : OPTION_NEXT_LINE);
	print_lines(row->help, HELP_INDENT, width);
}

void option_table_print(const struct option_table *t)
{
	size_t width = wrap_width(STDOUT_FILENO);
	char about[512];

	fputs("Usage: ", stdout);
	print_lines(t->usage, strlen("Usage: "), width);
	if (t->about) {
		snprintf(about, sizeof(about), "%s.", t->about);
		puts("");
		wrap_text(stdout, about, 0, width);
	}
	if (t->rows->help)
		puts("");
	for (const struct option_row *row = t->rows; row->help; row++) {
		if (!row->option && (row->sets & ~t->sets) == 0)
			print_lines(row->help, 0, width);
		else if (option_table_has(t, row))
			print_row(row, width);
	}
}

int option_table_end_output(struct error *err)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return OPTIONS_DONE;
	return error_set(err, EIO, "not all of it could be written to standard output: is its disk full?");
}

int option_take_text(void *member, const char *value, const struct option_row *row, struct error *err)
{
	(void)row;
	(void)err;
	*(const char **)member = value;
	return 0;
}

int option_take_flag(void *member, const char *value, const struct option_row *row, struct error *err)
{
	(void)value;
	(void)row;
	(void)err;
	*(bool *)member = true;
	return 0;
}

int option_take_span(void *member, const char *value, const struct option_row *row, struct error *err)
{
	char what[64];

	snprintf(what, sizeof(what), "%.*s", (int)strcspn(row->option, " "), row->option);
	return parse_duration(what, value, member, err);
}
