/* Each table of options, and what else has to name the same options: --help, the manual, docs/architecture.md and the
 * completions of the shells. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "activator/options.h"
#include "cli/commands.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "instance/health_check.h"
#include "keeper/options.h"
#include "nshelper/options.h"
#include "proxy/options.h"
#include "router/options.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct command *const commands[] = {
	&create_command, &set_command,	 &adopt_command,   &remove_command, &list_command,   &status_command,
	&wake_command,	 &sleep_command, &refresh_command, &attend_command, &router_command, &logs_command,
};

static const struct {
	const char *name;
	const struct option_table *table;
} programs[] = {
	{"keeper", &keeper_option_table}, {"activator", &activator_option_table}, {"nshelper", &nshelper_option_table},
	{"proxy", &proxy_option_table},	  {"router", &router_option_table},
};

/* Options, each once: "--all", and "--name=" where it is told that it takes a value. */
struct names {
	char names[256][48];
	size_t n;
};

static bool has(const struct names *set, const char *name)
{
	for (size_t k = 0; k < set->n; k++) {
		if (strcmp(set->names[k], name) == 0)
			return true;
	}
	return false;
}

static void add(struct names *set, const char *name, size_t len, bool value)
{
	char text[48];

	snprintf(text, sizeof(text), "%.*s%s", (int)len, name, value ? "=" : "");
	if (has(set, text))
		return;
	assert_true(set->n < COUNT(set->names));
	strcpy(set->names[set->n++], text);
}

/* The length of the option that the text begins with; 0: with none. */
static size_t name_len(const char *text)
{
	if (strncmp(text, "--", 2) != 0 || text[2] < 'a' || text[2] > 'z')
		return 0;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz-");
}

/* Adds all options that are named up to `end`. */
static void scan(struct names *set, const char *text, const char *end)
{
	for (size_t len; text < end; text += len ? len : 1) {
		len = name_len(text);
		if (len)
			add(set, text, len, false);
	}
}

enum detail { NAMES, VALUES };

static struct names of_table(const struct option_table *t, enum detail detail)
{
	struct names ret = {};

	for (const struct option_row *row = t->rows; row->help; row++) {
		const char *name = row->option ? option_row_name(row) : NULL;

		if (option_table_has(t, row))
			add(&ret, name, name_len(name), detail == VALUES && strchr(name, ' '));
	}
	return ret;
}

static size_t n_wrong;

static void expect_all(const char *where, const char *whose, const struct names *found, const struct names *expected)
{
	for (size_t k = 0; k < expected->n; k++) {
		if (has(found, expected->names[k]))
			continue;
		print_error("%s: '%s' of %s is missing\n", where, expected->names[k], whose);
		n_wrong++;
	}
}

static void expect_no_other(const char *where, const char *whose, const struct names *found,
			    const struct names *expected)
{
	for (size_t k = 0; k < found->n; k++) {
		if (has(expected, found->names[k]))
			continue;
		print_error("%s: '%s' is no option of %s\n", where, found->names[k], whose);
		n_wrong++;
	}
}

static void expect_same(const char *where, const char *whose, const struct names *found, const struct names *expected)
{
	expect_all(where, whose, found, expected);
	expect_no_other(where, whose, found, expected);
}

static char *read_text(const char *path)
{
	char *text = NULL;
	struct error err;

	if (file_read(AT_FDCWD, path, 1 << 20, &text, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return text;
}

/* Without what roff(7) needs to set it: "\-" is "-", "\fB" nothing. */
static char *read_manual(const char *path)
{
	char *text = read_text(path), *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] == 'f')
			from += 2;
		else if (from[0] != '\\' || from[1] != '-')
			*to++ = *from;
	}
	*to = '\0';
	return text;
}

/* What stands between the two in the text, the first time, which has to be there. */
struct part {
	const char *begin, *end;
};

static struct part find(struct part in, const char *before, const char *after)
{
	struct part ret = {strstr(in.begin, before), NULL};

	if (!ret.begin || ret.begin >= in.end)
		fail_msg("there is no '%s'", before);
	ret.begin += strlen(before);
	ret.end = strstr(ret.begin, after);
	if (!ret.end || ret.end > in.end)
		ret.end = in.end;
	return ret;
}

static struct part whole(const char *text)
{
	return (struct part){text, text + strlen(text)};
}

/* The options in the first lines of the entries of a manual's section. */
static struct names of_entries(struct part section)
{
	struct names ret = {};

	for (const char *p = section.begin; (p = strstr(p, "\n.TP\n")) && p < section.end;) {
		p += strlen("\n.TP\n");
		scan(&ret, p, strchrnul(p, '\n'));
	}
	return ret;
}

/* What --help prints. */
static char *help_of(const struct option_table *t)
{
	int file = memfd_create("help", 0), out = dup(STDOUT_FILENO);
	char *text = calloc(1, 1 << 16);

	assert_true(file >= 0 && out >= 0 && text);
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	option_table_print(t);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	assert_true(pread(file, text, (1 << 16) - 1, 0) > 0);
	close(out);
	close(file);
	return text;
}

static void check_help(const char *name, const struct option_table *t)
{
	_cleanup_free_ char *text = help_of(t);
	struct names expected = of_table(t, NAMES), in_usage = {}, found = {};

	scan(&in_usage, t->usage, t->usage + strlen(t->usage));
	expect_no_other("the usage", name, &in_usage, &expected);
	for (const char *line = text; *line; line = strchrnul(line, '\n'), line += *line == '\n') {
		const char *p = line;

		if (strncmp(p, "  -", 3) != 0)
			continue;
		p += p[3] == '-' ? 2 : 6;
		add(&found, p, name_len(p), false);
		assert_non_null(strstr(p, "  ") ? strstr(p, "  ") : strchr(p, '\n'));
	}
	expect_same("--help", name, &found, &expected);
}

static void help_shows_each_option(void **state)
{
	(void)state;
	n_wrong = 0;
	for (size_t k = 0; k < COUNT(programs); k++)
		check_help(programs[k].name, programs[k].table);
	for (size_t k = 0; k < COUNT(commands); k++)
		check_help(commands[k]->name, commands[k]->options);
	assert_int_equal(n_wrong, 0);
}

/* A person may ask for it by hand; in a command line it has no place. */
static void leave_out_version(struct names *set)
{
	for (size_t k = 0; k < set->n; k++) {
		if (strcmp(set->names[k], "--version") == 0)
			memcpy(set->names[k], set->names[--set->n], sizeof(*set->names));
	}
}

static void architecture_has_each_option_of_a_program(void **state)
{
	_cleanup_free_ char *text = read_text("docs/architecture.md");

	(void)state;
	n_wrong = 0;
	for (size_t k = 0; k < COUNT(programs); k++) {
		struct names expected = of_table(programs[k].table, NAMES), found = {};
		char title[64];
		struct part usage;

		snprintf(title, sizeof(title), "\n### %s\n\n", programs[k].name);
		usage = find(whole(text), title, "\n\n");
		scan(&found, usage.begin, usage.end);
		leave_out_version(&expected);
		expect_same("docs/architecture.md", programs[k].name, &found, &expected);
	}
	assert_int_equal(n_wrong, 0);
}

static void manual_of_nshelper(void **state)
{
	_cleanup_free_ char *text = read_manual("man/nshelper.8");
	struct names expected = of_table(&nshelper_option_table, NAMES), found, in_usage = {};
	struct part synopsis = find(whole(text), "\n.SY nshelper\n", "\n.YS\n");

	(void)state;
	n_wrong = 0;
	add(&expected, "--help", strlen("--help"), false);
	found = of_entries(find(whole(text), "\n.SH OPTIONS", "\n.SH "));
	expect_same("man/nshelper.8", "nshelper", &found, &expected);
	expected = of_table(&nshelper_option_table, NAMES);
	leave_out_version(&expected);
	found = (struct names){};
	scan(&found, synopsis.begin, synopsis.end);
	expect_same("the synopsis of man/nshelper.8", "nshelper", &found, &expected);
	scan(&in_usage, nshelper_option_table.usage, strchrnul(nshelper_option_table.usage, '\0'));
	expect_same("the usage", "nshelper", &in_usage, &expected);
	assert_int_equal(n_wrong, 0);
}

/* The lines of the synopsis. */
static struct names of_synopsis(const char *manual, const char *command)
{
	struct part synopsis = find(whole(manual), "\n.SH SYNOPSIS", "\n.SH ");
	struct names ret = {};
	char begin[64];

	snprintf(begin, sizeof(begin), "\nsockwake %s", command);
	for (const char *p = synopsis.begin; (p = strstr(p, begin)) && p < synopsis.end; p += strlen(begin)) {
		if (strchr(" \n", p[strlen(begin)]))
			scan(&ret, p + 1, strchrnul(p + 1, '\n'));
	}
	return ret;
}

static void check_entry(const char *manual, const struct command *c)
{
	struct names expected = of_table(c->options, NAMES), found = of_synopsis(manual, c->name);
	struct part section = find(whole(manual), "\n.SH COMMANDS\n", "\n.SH "), part;
	char title[64];

	expect_no_other("the synopsis of man/sockwake.1", c->name, &found, &expected);
	part = find(section, "", "\n.TP\n"); /* what is said of all commands */
	scan(&found, part.begin, part.end);
	snprintf(title, sizeof(title), "\n.TP\n.B %s\n", c->name);
	part = find(section, title, "\n.TP\n");
	scan(&found, part.begin, part.end);
	expect_all("man/sockwake.1", c->name, &found, &expected);
}

static void manual_of_sockwake(void **state)
{
	_cleanup_free_ char *text = read_manual("man/sockwake.1");
	struct names expected = of_table(create_command.options, NAMES), found;

	(void)state;
	n_wrong = 0;
	found = of_entries(find(whole(text), "\n.SH OPTIONS OF CREATE\n", "\n.SH "));
	expect_same("man/sockwake.1", "create", &found, &expected);
	for (size_t k = 0; k < COUNT(commands); k++) {
		if (commands[k] != &create_command)
			check_entry(text, commands[k]);
	}
	assert_int_equal(n_wrong, 0);
}

static void manuals_name_no_other_option(void **state)
{
	/* those of all programs, and of systemctl, podman, Docker and Redis */
	static const char foreign[] =
		"--help --version --now --health-on-failure --health-startup-retries "
		"--health-start-period --userns --tls-port --rm --volumes --filter --label --no-start --restart --host --replace";
	static const char *const manuals[] = {"man/sockwake.1", "man/nshelper.8", "man/sockwake-router.8"};
	struct names known = {};

	(void)state;
	n_wrong = 0;
	scan(&known, foreign, foreign + strlen(foreign));
	for (size_t k = 0; k < COUNT(commands) + COUNT(programs); k++) {
		const struct option_table *t =
			k < COUNT(commands) ? commands[k]->options : programs[k - COUNT(commands)].table;
		struct names own = of_table(t, NAMES);

		for (size_t n = 0; n < own.n; n++)
			add(&known, own.names[n], strlen(own.names[n]), false);
	}
	for (size_t k = 0; k < COUNT(manuals); k++) {
		_cleanup_free_ char *text = read_manual(manuals[k]);
		struct names found = {};

		scan(&found, text, text + strlen(text));
		expect_no_other(manuals[k], "any program", &found, &known);
	}
	assert_int_equal(n_wrong, 0);
}

static void bash_completes_each_option(void **state)
{
	_cleanup_free_ char *text = read_text("completions/sockwake.bash");

	(void)state;
	n_wrong = 0;
	for (size_t k = 0; k < COUNT(commands); k++) {
		struct names expected = of_table(commands[k]->options, NAMES), found = {};
		char arm[64];
		struct part words;

		snprintf(arm, sizeof(arm), "\n\t%s) options+='", commands[k]->name);
		words = find(whole(text), arm, "'");
		scan(&found, words.begin, words.end);
		expect_same("completions/sockwake.bash", commands[k]->name, &found, &expected);
	}
	assert_int_equal(n_wrong, 0);
}

/* "--name[what it is]", and ":" where it takes a value. */
static struct names of_zsh(struct part arm, struct part changeable)
{
	struct names ret = {};

	for (const char *p = arm.begin; p < arm.end; p++) {
		size_t len = name_len(p);

		if (*p == '[')
			p = strchr(p, ']');
		else if (len) {
			add(&ret, p, len, strchr(strchr(p, '['), ']')[1] == ':');
			p += len - 1;
		} else if (strncmp(p, "$scope", strlen("$scope")) == 0)
			add(&ret, "--scope", strlen("--scope"), true);
		else if (strncmp(p, "$name", strlen("$name")) == 0)
			add(&ret, "--name", strlen("--name"), true);
		else if (strncmp(p, "$changeable", strlen("$changeable")) == 0) {
			struct names shared = of_zsh(changeable, changeable);

			for (size_t k = 0; k < shared.n; k++)
				add(&ret, shared.names[k], strlen(shared.names[k]), false);
		}
	}
	return ret;
}

static void zsh_completes_each_option(void **state)
{
	_cleanup_free_ char *text = read_text("completions/sockwake.zsh");

	(void)state;
	n_wrong = 0;
	for (size_t k = 0; k < COUNT(commands); k++) {
		struct names expected = of_table(commands[k]->options, VALUES), found;
		char arm[64];

		snprintf(arm, sizeof(arm), "\n\t%s)", commands[k]->name);
		found = of_zsh(find(whole(text), arm, ";;"), find(whole(text), "\n\tchangeable=(", "\n\t)"));
		expect_same("completions/sockwake.zsh", commands[k]->name, &found, &expected);
	}
	assert_int_equal(n_wrong, 0);
}

/* Is the word in the line? */
static bool mentions(const char *line, size_t len, const char *word)
{
	_cleanup_free_ char *text = strndup(line, len);

	for (char *save, *p = strtok_r(text, " \t\"';", &save); p; p = strtok_r(NULL, " \t\"';", &save)) {
		if (strcmp(p, word) == 0)
			return true;
	}
	return false;
}

/* Is the line about this command? One without a condition is about all of them. */
static bool is_about(const char *text, const char *line, size_t len, const char *command)
{
	struct part named = find(whole(text), "\nset -l named ", "\n");

	if (!mentions(line, len, "-n") || mentions(line, len, command))
		return true;
	if (mentions(line, len, "$create"))
		return strcmp(command, "create") == 0;
	if (mentions(line, len, "$options"))
		return strcmp(command, "create") == 0 || strcmp(command, "set") == 0;
	return mentions(line, len, "$named") && mentions(named.begin, (size_t)(named.end - named.begin), command);
}

static struct names of_fish(const char *text, const char *command)
{
	struct names ret = {};

	for (const char *line = text; *line; line = strchrnul(line, '\n'), line += *line == '\n') {
		size_t len = strcspn(line, "\n");
		const char *at = memmem(line, len, " -l ", 4), *said = memmem(line, len, " -d ", 4);
		char name[64];

		if (strncmp(line, "complete ", strlen("complete ")) != 0 || !at || (said && said < at))
			continue;
		if (!is_about(text, line, said ? (size_t)(said - line) : len, command))
			continue;
		snprintf(name, sizeof(name), "--%.*s", (int)strcspn(at + 4, " \n"), at + 4);
		add(&ret, name, strlen(name), mentions(line, len, "-x") || mentions(line, len, "-r"));
	}
	return ret;
}

static void fish_completes_each_option(void **state)
{
	_cleanup_free_ char *text = read_text("completions/sockwake.fish");

	(void)state;
	n_wrong = 0;
	for (size_t k = 0; k < COUNT(commands); k++) {
		struct names expected = of_table(commands[k]->options, VALUES), found;

		found = of_fish(text, commands[k]->name);
		expect_same("completions/sockwake.fish", commands[k]->name, &found, &expected);
	}
	assert_int_equal(n_wrong, 0);
}

/* Words, with a space on either side of each. */
static void expect_words(const char *where, struct part list, const char *separators)
{
	char text[512] = " ";

	for (const char *p = list.begin; p < list.end; p++)
		strncat(text, strchr(separators, *p) ? " " : p, 1);
	strcat(text, " ");
	for (size_t k = 0; health_check_word(k); k++) {
		char word[32];

		snprintf(word, sizeof(word), " %s ", health_check_word(k));
		if (strstr(text, word))
			continue;
		print_error("%s: the health check '%s' is missing\n", where, health_check_word(k));
		n_wrong++;
	}
}

/* Of the manual, which tells in an entry of its own what each does. */
static void expect_entries(const char *manual)
{
	struct part section = find(whole(manual), "\n.BI --health-check", "\n.RE\n");

	for (size_t k = 0; health_check_word(k); k++) {
		char plain[64], with_path[64];
		const char *p;

		snprintf(plain, sizeof(plain), "\n.TP\n.B %s\n", health_check_word(k));
		snprintf(with_path, sizeof(with_path), "\n.TP\n.BR %s [ :", health_check_word(k));
		p = strstr(section.begin, plain) ? strstr(section.begin, plain) : strstr(section.begin, with_path);
		if (p && p < section.end)
			continue;
		print_error("man/sockwake.1: the health check '%s' is missing\n", health_check_word(k));
		n_wrong++;
	}
}

static void words_of_health_checks(void **state)
{
	_cleanup_free_ char *bash = read_text("completions/sockwake.bash"),
			    *zsh = read_text("completions/sockwake.zsh"),
			    *fish = read_text("completions/sockwake.fish"), *manual = read_manual("man/sockwake.1");

	(void)state;
	n_wrong = 0;
	expect_words("the messages", whole(HEALTH_CHECK_WORDS ", none"), ",");
	expect_words("completions/sockwake.bash",
		     find(whole(bash), "\n\t--health-check)\n\t\tCOMPREPLY=($(compgen -W '", "'"), "");
	expect_words("completions/sockwake.zsh", find(find(whole(zsh), "'--health-check[", "\n"), ":(", ")"), "");
	expect_words("completions/sockwake.fish", find(whole(fish), " -l health-check -x -a '", "'"), "");
	expect_entries(manual);
	assert_int_equal(n_wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_shows_each_option),
		cmocka_unit_test(architecture_has_each_option_of_a_program),
		cmocka_unit_test(manual_of_nshelper),
		cmocka_unit_test(manual_of_sockwake),
		cmocka_unit_test(manuals_name_no_other_option),
		cmocka_unit_test(bash_completes_each_option),
		cmocka_unit_test(zsh_completes_each_option),
		cmocka_unit_test(fish_completes_each_option),
		cmocka_unit_test(words_of_health_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
