#include "nshelper/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/parse.h"
#include "handover/environment.h"
#include "handover/mark.h"

static const char usage[] =
	"nshelper [--pid PID | --pidfd FD] [--user USER] [--container-root] [--unreachable] [--outside-source] "
	"[--transparent [--mark N]] -- COMMAND…";

/* For a PID or a descriptor: both are an int. */
static int parse_int(const char *what, const char *s, int *ret, struct error *err)
{
	uint64_t n;

	if (parse_u64(what, s, 0, INT32_MAX, &n, err) < 0)
		return -1;
	*ret = (int)n;
	return 0;
}

static int take_pid(void *pid, const char *value, const struct option_row *row, struct error *err)
{
	(void)row;
	return parse_int("the PID", value, pid, err);
}

static int take_pidfd(void *fd, const char *value, const struct option_row *row, struct error *err)
{
	(void)row;
	return parse_int("the descriptor of --pidfd", value, fd, err);
}

static int take_mark(void *mark, const char *value, const struct option_row *row, struct error *err)
{
	uint64_t n;

	(void)row;
	if (parse_u64("the mark", value, 1, UINT32_MAX, &n, err) < 0)
		return -1;
	*(uint32_t *)mark = (uint32_t)n;
	return 0;
}

static int print_version(void *options, const char *value, const struct option_row *row, struct error *err)
{
	(void)options;
	(void)value;
	(void)row;
	puts("nshelper " VERSION);
	return option_table_end_output(err);
}

static int refuse(const struct option_table *t, const struct option_fault *f, struct error *err)
{
	if (f->lacks_value)
		return error_set(err, EINVAL, "the option '%s' lacks its value; usage: %s", f->argument, t->usage);
	if (f->letter)
		return error_set(err, EINVAL, "the option '-%c' is not known; usage: %s", f->letter, t->usage);
	return error_set(err, EINVAL, "the option '%s' is not known or takes no value; usage: %s", f->argument,
			 t->usage);
}

#define AT(member) .offset = offsetof(struct nshelper_options, member)

static const struct option_row rows[] = {
	{"--pid PID", "the process whose network is entered", take_pid, AT(pid)},
	{"--pidfd FD", "the same, by an inherited pidfd", take_pidfd, AT(pidfd)},
	{"--user USER", "becomes this user", option_take_text, AT(user)},
	{"--container-root", "passes on its root directory", option_take_flag, AT(container_root)},
	{"--unreachable", "refuses a command within its reach", option_take_flag, AT(unreachable)},
	{"--outside-source", "for a proxy from outside", option_take_flag, AT(outside_source)},
	{"--transparent", "for a proxy with its clients' addresses", option_take_flag, AT(transparent)},
	{"--mark N", "the firewall mark of --transparent", take_mark, AT(mark)},
	{"--version", "shows the version", .take = print_version},
	{},
};

const struct option_table nshelper_option_table = {
	.usage = usage,
	.about = "See nshelper(8)",
	.rows = rows,
	.refuse = refuse,
};

/* Checks the options together. */
static int check(struct nshelper_options *o, struct error *err)
{
	if (!o->command[0])
		return error_set(err, EINVAL, "the command to run is missing; usage: %s", usage);
	if (o->pid >= 0 && o->pidfd >= 0)
		return error_set(err, EINVAL, "--pid and --pidfd exclude each other");
	if (o->mark && !o->transparent)
		return error_set(err, EINVAL, "--mark has a meaning only with --transparent");
	if (o->user && geteuid() != 0)
		return error_set(err, EPERM, "--user needs root: an ordinary user stays who they are");
	if (!o->mark)
		o->mark = TRANSPARENT_MARK;
	if (o->pid >= 0 || o->pidfd >= 0)
		return 0;
	if (environment_fd(VARIABLE_PIDFD, &o->pidfd, err) < 0)
		return -1;
	if (o->pidfd < 0)
		return error_set(err, EINVAL, "say which container: --pid, --pidfd or $%s; usage: %s",
				 environment_name(VARIABLE_PIDFD), usage);
	return 0;
}

enum options_result nshelper_options_parse(int argc, char *argv[], struct nshelper_options *ret, struct error *err)
{
	struct nshelper_options o = {.pid = -1, .pidfd = -1};
	int rest;
	enum options_result r = option_table_parse(&nshelper_option_table, argc, argv, &o, &rest, err);

	if (r != OPTIONS_RUN)
		return r;
	o.command = argv + rest;
	if (check(&o, err) < 0)
		return OPTIONS_WRONG;
	*ret = o;
	return OPTIONS_RUN;
}
