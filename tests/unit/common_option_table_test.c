/* common/option_table.h: the parser. What --help prints is tested with the real tables. */
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/option_table.h"

#define WORDS_MAX 16

struct taken {
	const char *name, *spec, *level;
	bool all, quiet, other;
	uint64_t span;
};

static int take_level(void *taken, const char *value, const struct option_row *row, struct error *err)
{
	struct taken *t = taken;

	if (strcmp(value, "stop") == 0)
		return OPTIONS_DONE;
	if (strcmp(value, "wrong") == 0)
		return error_set(err, 0, "%s is wrong", row->option);
	t->level = value;
	return 0;
}

static int refuse(const struct option_table *t, const struct option_fault *f, struct error *err)
{
	(void)t;
	if (f->letter)
		return error_set(err, 0, "%s: letter %c", f->program, f->letter);
	return error_set(err, 0, "%s: %s%s", f->program, f->argument, f->lacks_value ? " lacks" : "");
}

#define AT(member) .offset = offsetof(struct taken, member)

static const struct option_row rows[] = {
	{.help = "A heading:"},
	{"--name NAME", "", option_take_text, AT(name)},
	{"-p, --publish SPEC", "", option_take_text, AT(spec)},
	{"-a, --all", "", option_take_flag, AT(all)},
	{"--quiet", "", option_take_flag, AT(quiet)},
	{"--span SPAN", "", option_take_span, AT(span)},
	{"--level LEVEL", "", .take = take_level},
	{"-o, --other", "", option_take_flag, AT(other), .sets = 2},
	{},
};

static const struct option_table table = {.usage = "test", .rows = rows, .refuse = refuse, .sets = 1};
static const struct option_table mixed = {.usage = "test", .rows = rows, .refuse = refuse, .sets = 3, .mixed = true};

static char *argv[WORDS_MAX + 1];
static struct taken taken;
static struct error err;
static int rest;

/* Of words separated by spaces. */
static enum options_result parse(const struct option_table *t, const char *line)
{
	static char buffer[256];
	int argc = 0;

	snprintf(buffer, sizeof(buffer), "test %s", line);
	for (char *save, *p = strtok_r(buffer, " ", &save); p; p = strtok_r(NULL, " ", &save))
		argv[argc++] = p;
	argv[argc] = NULL;
	taken = (struct taken){};
	err = (struct error){};
	return option_table_parse(t, argc, argv, &taken, &rest, &err);
}

static void expect_rest(const char *expected)
{
	char text[256] = "";

	for (int k = rest; argv[k]; k++) {
		strcat(text, k > rest ? " " : "");
		strcat(text, argv[k]);
	}
	assert_string_equal(text, expected);
}

static void values(void **state)
{
	(void)state;
	assert_int_equal(parse(&table, "--name x --publish=1:2 --all --span 2s"), OPTIONS_RUN);
	assert_string_equal(taken.name, "x");
	assert_string_equal(taken.spec, "1:2");
	assert_true(taken.all && !taken.quiet);
	assert_true(taken.span == 2000000);
	expect_rest("");
	/* A value may look like an option, and be empty. */
	assert_int_equal(parse(&table, "--name --all --publish="), OPTIONS_RUN);
	assert_string_equal(taken.name, "--all");
	assert_string_equal(taken.spec, "");
	assert_false(taken.all);
	assert_int_equal(parse(&table, "--name --"), OPTIONS_RUN);
	assert_string_equal(taken.name, "--");
	assert_int_equal(parse(&table, "--name=a=b"), OPTIONS_RUN);
	assert_string_equal(taken.name, "a=b");
}

static void letters(void **state)
{
	(void)state;
	assert_int_equal(parse(&table, "-p 1:2 -a"), OPTIONS_RUN);
	assert_string_equal(taken.spec, "1:2");
	assert_true(taken.all);
	assert_int_equal(parse(&table, "-ap1:2 -a"), OPTIONS_RUN);
	assert_string_equal(taken.spec, "1:2");
	assert_int_equal(parse(&table, "-ap 1:2"), OPTIONS_RUN);
	assert_string_equal(taken.spec, "1:2");
	assert_int_equal(parse(&mixed, "-ao"), OPTIONS_RUN);
	assert_true(taken.all && taken.other);
}

static void plain_arguments(void **state)
{
	(void)state;
	assert_int_equal(parse(&table, "--all x --quiet y"), OPTIONS_RUN);
	assert_false(taken.quiet);
	expect_rest("x --quiet y");
	assert_int_equal(parse(&table, "--all -- --quiet"), OPTIONS_RUN);
	assert_false(taken.quiet);
	expect_rest("--quiet");
	assert_int_equal(parse(&table, "- --all"), OPTIONS_RUN);
	expect_rest("- --all");
	assert_int_equal(parse(&mixed, "x --all y --name n z - --quiet"), OPTIONS_RUN);
	assert_true(taken.all && taken.quiet);
	assert_string_equal(taken.name, "n");
	expect_rest("x y z -");
	assert_int_equal(parse(&mixed, "x -a y -- --quiet z"), OPTIONS_RUN);
	assert_false(taken.quiet);
	expect_rest("x y --quiet z");
}

/* As execve(2) allowed it once. */
static void without_a_name(void **state)
{
	char *nothing[] = {NULL, argv[0], NULL};

	(void)state;
	assert_int_equal(option_table_parse(&table, 0, nothing, &taken, &rest, &err), OPTIONS_RUN);
	assert_int_equal(rest, 0);
}

static void done(void **state)
{
	(void)state;
	assert_int_equal(parse(&table, "--level stop --unknown"), OPTIONS_DONE);
	assert_int_equal(parse(&table, "--level high"), OPTIONS_RUN);
	assert_string_equal(taken.level, "high");
	assert_int_equal(parse(&table, "--help --unknown"), OPTIONS_DONE);
}

/* What is printed to standard output. */
static const char *printed(const struct option_table *t)
{
	static char text[1024];
	int ends[2], saved;
	ssize_t n;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
	option_table_print(t);
	fflush(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	close(ends[1]);
	n = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void help(void **state)
{
	static const struct option_row few[] = {
		{.help = "A heading:"},
		{"--name NAME", "its name", option_take_text, 0, 0},
		{"--of-twenty-five-characters", "on the next line", option_take_text, 0, 0},
		{"--of-twenty-four-character", "on this line", option_take_text, 0, 0},
		{"-o, --other", "not of this table", option_take_flag, .sets = 2},
		{},
	};
	static const struct option_row none[] = {{}};

	(void)state;
	assert_string_equal(printed(&(struct option_table){.usage = "test [X]", .about = "It tests", .rows = few}),
			    "Usage: test [X]\n\nIt tests.\n\nA heading:\n  --name NAME                 its name\n"
			    "  --of-twenty-five-characters " OPTION_NEXT_LINE "on the next line\n"
			    "  --of-twenty-four-character  on this line\n");
	assert_string_equal(printed(&(struct option_table){.usage = "test", .rows = none}), "Usage: test\n");
}

/* Long texts wrap under their beginning, as wide as the terminal is. */
static void help_on_a_terminal(void **state)
{
	static const struct option_row lines[] = {
		{.help = "A heading:\n  with an indented line below"},
		{"--name NAME", "a text that is longer" OPTION_NEXT_LINE "and goes on", option_take_text, 0, 0},
		{},
	};
	const struct option_table t = {.usage = "test [X] and some more words, more than fit into one line",
				       .rows = lines};
	struct winsize size = {.ws_row = 25, .ws_col = 50};
	int terminal, out, saved;
	char text[1024] = "", *to = text;
	ssize_t n;

	(void)state;
	assert_int_equal(openpty(&terminal, &out, NULL, NULL, &size), 0);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	option_table_print(&t);
	fflush(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	n = read(terminal, text, sizeof(text) - 1);
	assert_true(n > 0);
	close(out);
	close(terminal);
	for (char *from = text; *from; from++) {
		if (*from != '\r')
			*to++ = *from;
	}
	*to = '\0';
	assert_string_equal(text, "Usage: test [X] and some more words, more than fit\n"
				  "       into one line\n\nA heading:\n  with an indented line below\n"
				  "  --name NAME                 a text that is\n"
				  "                              longer\n"
				  "                              and goes on\n");
}

static void wrong(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{"--unknown", "test: --unknown"},
		{"--unknown=x", "test: --unknown=x"},
		{"--al", "test: --al"},
		{"--nam x", "test: --nam"},
		{"--names x", "test: --names"},
		{"--all=yes", "test: --all=yes"},
		{"--help=yes", "test: --help=yes"},
		{"--=x", "test: --=x"},
		{"--name", "test: --name lacks"},
		{"-p", "test: -p lacks"},
		{"-ap", "test: -ap lacks"},
		{"-x", "test: letter x"},
		{"-ax", "test: letter x"},
		{"-a-", "test: letter -"},
		{"-a=", "test: letter ="},
		{"-o", "test: letter o"},
		{"--other", "test: --other"},
		{"--level wrong", "--level LEVEL is wrong"},
		{"--span soon", "--span 'soon'"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		assert_int_equal(parse(&table, cases[k].line), OPTIONS_WRONG);
		if (strncmp(err.text, cases[k].says, strlen(cases[k].says)) != 0)
			fail_msg("%s: '%s' is not '%s'", cases[k].line, err.text, cases[k].says);
	}
	/* What came before is no value. */
	assert_int_equal(parse(&mixed, "x --name"), OPTIONS_WRONG);
	assert_string_equal(err.text, "test: --name lacks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(letters),
		cmocka_unit_test(plain_arguments),
		cmocka_unit_test(without_a_name),
		cmocka_unit_test(done),
		cmocka_unit_test(help),
		cmocka_unit_test(help_on_a_terminal),
		cmocka_unit_test(wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
