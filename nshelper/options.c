#include "nshelper/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/parse.h"
#include "handover/environment.h"
#include "handover/mark.h"

#define USAGE                                                                                                          \
	"nshelper [--pid PID | --pidfd FD] [--user USER] [--container-root] [--unreachable] [--outside-source] "       \
	"[--transparent [--mark N]] -- COMMAND…"

enum {
	OPT_PID = 256,
	OPT_PIDFD,
	OPT_USER,
	OPT_CONTAINER_ROOT,
	OPT_UNREACHABLE,
	OPT_OUTSIDE_SOURCE,
	OPT_TRANSPARENT,
	OPT_MARK,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{"pid", required_argument, NULL, OPT_PID},
	{"pidfd", required_argument, NULL, OPT_PIDFD},
	{"user", required_argument, NULL, OPT_USER},
	{"container-root", no_argument, NULL, OPT_CONTAINER_ROOT},
	{"unreachable", no_argument, NULL, OPT_UNREACHABLE},
	{"transparent", no_argument, NULL, OPT_TRANSPARENT},
	{"outside-source", no_argument, NULL, OPT_OUTSIDE_SOURCE},
	{"mark", required_argument, NULL, OPT_MARK},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static int parse_pid(const char *s, pid_t *ret, struct error *err)
{
	uint64_t n;

	if (parse_u64("the PID", s, 0, INT32_MAX, &n, err) < 0)
		return -1;
	*ret = (pid_t)n;
	return 0;
}

static int parse_fd(const char *s, int *ret, struct error *err)
{
	uint64_t n;

	if (parse_u64("the descriptor of --pidfd", s, 0, INT32_MAX, &n, err) < 0)
		return -1;
	*ret = (int)n;
	return 0;
}

static int parse_mark(const char *s, uint32_t *ret, struct error *err)
{
	uint64_t n;

	if (parse_u64("the mark", s, 1, UINT32_MAX, &n, err) < 0)
		return -1;
	*ret = (uint32_t)n;
	return 0;
}

static enum options_result apply(int opt, char *argv[], struct options *o, struct error *err)
{
	switch (opt) {
	case OPT_PID:
		return parse_pid(optarg, &o->pid, err) < 0 ? OPTIONS_WRONG : OPTIONS_RUN;
	case OPT_PIDFD:
		return parse_fd(optarg, &o->pidfd, err) < 0 ? OPTIONS_WRONG : OPTIONS_RUN;
	case OPT_USER:
		o->user = optarg;
		return OPTIONS_RUN;
	case OPT_CONTAINER_ROOT:
		o->container_root = true;
		return OPTIONS_RUN;
	case OPT_UNREACHABLE:
		o->unreachable = true;
		return OPTIONS_RUN;
	case OPT_OUTSIDE_SOURCE:
		o->outside_source = true;
		return OPTIONS_RUN;
	case OPT_TRANSPARENT:
		o->transparent = true;
		return OPTIONS_RUN;
	case OPT_MARK:
		return parse_mark(optarg, &o->mark, err) < 0 ? OPTIONS_WRONG : OPTIONS_RUN;
	case OPT_HELP:
		puts("usage: " USAGE "\nSee nshelper(8).");
		return OPTIONS_DONE;
	case OPT_VERSION:
		puts("nshelper " VERSION);
		return OPTIONS_DONE;
	case ':':
		error_set(err, EINVAL, "the option '%s' lacks its value; usage: " USAGE, argv[optind - 1]);
		return OPTIONS_WRONG;
	default:
		if (optopt > 0 && optopt < OPT_PID)
			error_set(err, EINVAL, "the option '-%c' is not known; usage: " USAGE, optopt);
		else
			error_set(err, EINVAL, "the option '%s' is not known or takes no value; usage: " USAGE,
				  argv[optind - 1]);
		return OPTIONS_WRONG;
	}
}

/* What the options ask for together. */
static int check(struct options *o, struct error *err)
{
	if (!o->command[0])
		return error_set(err, EINVAL, "the command to run is missing; usage: " USAGE);
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
		return error_set(err, EINVAL, "say which container: --pid, --pidfd or $%s; usage: " USAGE,
				 environment_name(VARIABLE_PIDFD));
	return 0;
}

enum options_result nshelper_options_parse(int argc, char *argv[], struct options *ret, struct error *err)
{
	struct options o = {.pid = -1, .pidfd = -1};
	int opt;

	optind = 0; /* start over; getopt(3), "a program that scans multiple argument vectors" */
	/* '+': the command's options are its own. ':': we say the error. */
	while ((opt = getopt_long(argc, argv, "+:", long_options, NULL)) != -1) {
		enum options_result r = apply(opt, argv, &o, err);

		if (r != OPTIONS_RUN)
			return r;
	}
	o.command = argv + optind;
	if (check(&o, err) < 0)
		return OPTIONS_WRONG;
	*ret = o;
	return OPTIONS_RUN;
}
