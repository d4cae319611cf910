#include "keeper/options.h"

#include <getopt.h>
#include <string.h>

#include "common/clock.h"
#include "common/parse.h"
#include "handover/start_limit.h"

#define DEFAULT_STARTUP_TIMEOUT (30 * USEC_PER_SEC)

enum option_id { OPT_NAME, OPT_STARTUP_TIMEOUT, OPT_START_LIMIT, OPT_NO_WAKE_FROM, OPT_SCHEDULE, OPT_NOTIFY };

static const struct option long_options[] = {
	{"name", required_argument, NULL, OPT_NAME},
	{"startup-timeout", required_argument, NULL, OPT_STARTUP_TIMEOUT},
	{"start-limit", required_argument, NULL, OPT_START_LIMIT},
	{"no-wake-from", required_argument, NULL, OPT_NO_WAKE_FROM},
	{"schedule", required_argument, NULL, OPT_SCHEDULE},
	{"notify", required_argument, NULL, OPT_NOTIFY},
	{},
};

static int take(struct keeper_options *o, int option, const char *value, struct error *err)
{
	switch (option) {
	case OPT_NAME:
		o->name = value;
		return 0;
	case OPT_STARTUP_TIMEOUT:
		return parse_duration("--startup-timeout", value, &o->startup_timeout, err);
	case OPT_START_LIMIT: /* for tests, which cannot wait for ten minutes */
		return parse_duration("--start-limit", value, &o->start_limit, err);
	case OPT_NO_WAKE_FROM:
		if (o->n_no_wake_from == NO_WAKE_MAX)
			return error_set(err, 0, "--no-wake-from is given more than %d times", NO_WAKE_MAX);
		return cidr_parse(value, &o->no_wake_from[o->n_no_wake_from++], err);
	case OPT_SCHEDULE:
		if (o->n_windows == WINDOWS_MAX)
			return error_set(err, 0, "--schedule is given more than %d times", WINDOWS_MAX);
		return window_parse(value, &o->windows[o->n_windows++], err);
	case OPT_NOTIFY:
		o->notify = value;
		return 0;
	default:
		return error_set(err, 0, "an option is unknown or lacks its value: see docs/architecture.md");
	}
}

/* The words behind the next "--"; NULL when there are none. */
static char **next_command(char **words)
{
	while (*words && strcmp(*words, "--") != 0)
		words++;
	return words[0] && words[1] ? words + 1 : NULL;
}

int keeper_options_parse(int argc, char **argv, struct keeper_options *ret, struct error *err)
{
	struct keeper_options o = {.startup_timeout = DEFAULT_STARTUP_TIMEOUT};
	int option;

	optind = 0; /* from the start, also when a test parses twice (getopt(3)) */
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+", long_options, NULL)) != -1) {
		if (take(&o, option, optarg, err) < 0)
			return -1;
	}
	if (!o.name || !instance_name_is_valid(o.name))
		return error_set(err, 0, "--name must give the instance's name");
	o.activator = optind < argc ? argv + optind : NULL;
	o.nshelper = o.activator ? next_command(o.activator) : NULL;
	o.proxy = o.nshelper ? next_command(o.nshelper) : NULL;
	if (!o.proxy)
		return error_set(err, 0,
				 "three commands must follow: '-- ACTIVATOR [OPTION…] -- NSHELPER [OPTION…] -- PROXY "
				 "[OPTION…]'");
	if (!o.start_limit)
		o.start_limit = start_limit(o.startup_timeout);
	*ret = o;
	return 0;
}
