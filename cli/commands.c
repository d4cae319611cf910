/* The table of commands, and the frame around each. */
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/notes.h"
#include "cli/text.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/nearest.h"
#include "common/parse.h"
#include "common/wrap.h"
#include "handover/exit.h"

static const struct command help_command, version_command;

static const struct command *const commands[] = {
	&create_command, &set_command,	  &remove_command,  &list_command,  &status_command,
	&wake_command,	 &sleep_command,  &logs_command,    &adopt_command, &refresh_command,
	&attend_command, &router_command, &version_command, &help_command,
};
#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

/* The names of our commands in other programs. */
static const struct {
	const char *word;
	const struct command *command;
	bool is_alias; /* else only a suggestion: elsewhere it does something slightly different */
} words[] = {
	{"ls", &list_command, true},	     {"ps", &list_command, true},	  {"rm", &remove_command, true},
	{"delete", &remove_command, false},  {"stop", &sleep_command, false},	  {"start", &wake_command, false},
	{"run", &create_command, false},     {"add", &create_command, false},	  {"new", &create_command, false},
	{"info", &status_command, false},    {"inspect", &status_command, false}, {"show", &status_command, false},
	{"update", &refresh_command, false}, {"change", &set_command, false},	  {"edit", &set_command, false},
	{"modify", &set_command, false},
};
#define N_WORDS (sizeof(words) / sizeof(*words))

static const struct command *find_command(const char *name)
{
	for (size_t k = 0; k < N_COMMANDS; k++) {
		if (strcmp(commands[k]->name, name) == 0)
			return commands[k];
	}
	for (size_t k = 0; k < N_WORDS; k++) {
		if (words[k].is_alias && strcmp(words[k].word, name) == 0)
			return words[k].command;
	}
	return NULL;
}

/* The command that may have been meant by an unknown one; NULL: none. */
static const char *command_meant(const char *name)
{
	const char *names[N_COMMANDS];

	for (size_t k = 0; k < N_WORDS; k++) {
		if (strcmp(words[k].word, name) == 0)
			return words[k].command->name;
	}
	for (size_t k = 0; k < N_COMMANDS; k++)
		names[k] = commands[k]->name;
	return nearest(name, names, N_COMMANDS);
}

static int no_command(const char *name, struct error *err)
{
	const char *meant = command_meant(name);

	if (meant)
		return error_set(err, USAGE_ERROR, "there is no command '%s': did you mean '%s'?", name, meant);
	return error_set(err, USAGE_ERROR, "there is no command '%s': 'sockwake help' lists them", name);
}

static bool is_given(int argc, char *argv[], const char *option)
{
	for (int k = 1; k < argc && strcmp(argv[k], "--") != 0; k++) {
		if (strcmp(argv[k], option) == 0)
			return true;
	}
	return false;
}

static void print_help(FILE *f)
{
	size_t width = wrap_width(fileno(f));

	wrap_text(f, "Wakes containers on the first connection, and puts them to sleep when nobody uses them.", 0,
		  width);
	fputs("\nUsage: sockwake COMMAND [OPTIONS]\n\n", f);
	for (size_t k = 0; k < N_COMMANDS; k++) {
		int indent = fprintf(f, "  %-8s ", commands[k]->name);

		wrap_text(f, commands[k]->options->about, (size_t)indent, width);
	}
	fputc('\n', f);
	wrap_text(f, "'sockwake help COMMAND' shows the options of a command; sockwake(1) is the manual.", 0, width);
}

static int help(int argc, char *argv[], struct error *err)
{
	const struct command *c;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return 0;
	}
	c = find_command(argv[1]);
	if (!c)
		return no_command(argv[1], err);
	option_table_print(c->options);
	return 0;
}

static const struct option_row no_rows[] = {{}};
static const struct option_table help_table = {
	.usage = "sockwake help [COMMAND]",
	.about = "Shows how to use sockwake, or one of its commands",
	.rows = no_rows,
};
static const struct command help_command = {"help", &help_table, help};

static int version(int argc, char *argv[], struct error *err)
{
	if (argc > 1)
		return error_set(err, USAGE_ERROR, "'%s' is one argument too many", argv[1]);
	puts("sockwake " VERSION);
	return 0;
}

static const struct option_table version_table = {
	.usage = "sockwake version",
	.about = "Shows the version",
	.rows = no_rows,
};
static const struct command version_command = {"version", &version_table, version};

static const char *command_name(int argc, char *argv[])
{
	if (argc < 2)
		return "";
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return "help";
	if (strcmp(argv[1], "--version") == 0)
		return "version";
	return argv[1];
}

static int run_command(int argc, char *argv[], struct error *err)
{
	const char *name = command_name(argc, argv);
	const struct command *c = find_command(name);

	if (!*name)
		return error_set(err, USAGE_ERROR, "a command is missing: 'sockwake help' lists them");
	if (!c)
		return no_command(name, err);
	if ((is_given(argc, argv, "--help") || (argc == 3 && strcmp(argv[2], "-h") == 0)) && c->run != help) {
		option_table_print(c->options);
		return 0;
	}
	return c->run(argc - 1, argv + 1, err);
}

/* Compares inodes, as systemd.exec(5) says: shells in a terminal inherit the environment of the desktop's service. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char text[48];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return strcmp(stream, text) == 0;
}

static void begin_log(void)
{
	if (!stderr_is_journal())
		(void)unsetenv("JOURNAL_STREAM");
	if (!log_begin("sockwake"))
		log_line(LOG_WARNING, LOG_INVALID);
}

/* A reader that has seen enough, such as head(1), is not to be bothered. */
static bool reader_is_gone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	return poll(&out, 1, 0) > 0 && out.revents & POLLERR;
}

int sockwake(int argc, char *argv[])
{
	struct error err = {};

	setlocale(LC_TIME, "");
	setvbuf(stdout, NULL, _IOLBF, 0); /* keeps the order with standard error, also in a file */
	begin_log();
	notes_begin();
	signal(SIGPIPE, SIG_IGN); /* the end of an engine or a reader is an ordinary error */
	if (error_settle(run_command(argc, argv, &err), &err) == 0) {
		if (fflush(stdout) == 0 && !ferror(stdout))
			return EXIT_SUCCESS;
		if (reader_is_gone())
			return EXIT_FAILURE;
		error_set(&err, EIO, "not all of it could be written to standard output: is its disk full?");
	}
	notes_print_failure(&err, is_given(argc, argv, "--json"));
	return err.code == USAGE_ERROR ? EXIT_USAGE : EXIT_FAILURE;
}
