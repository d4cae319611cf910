#include "keeper/options.h"

#include <stddef.h>
#include <string.h>

#include "common/clock.h"
#include "common/parse.h"
#include "handover/start_limit.h"
#include "instance/defaults.h"

static int take_no_wake_from(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct keeper_options *o = options;

	(void)row;
	if (o->n_no_wake_from == NO_WAKE_MAX)
		return error_set(err, 0, "--no-wake-from is given more than %d times", NO_WAKE_MAX);
	return cidr_parse(value, &o->no_wake_from[o->n_no_wake_from++], err);
}

static int take_schedule(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct keeper_options *o = options;

	(void)row;
	if (o->n_windows == WINDOWS_MAX)
		return error_set(err, 0, "--schedule is given more than %d times", WINDOWS_MAX);
	return window_parse(value, &o->windows[o->n_windows++], err);
}

#define AT(member) .offset = offsetof(struct keeper_options, member)

static const struct option_row rows[] = {
	{"--name NAME", "the instance", option_take_text, AT(name)},
	{"--startup-timeout SPAN", "limit for a waiting client (default: 30s)", option_take_span, AT(startup_timeout)},
	{"--start-limit SPAN", "limit for a start, for tests", option_take_span, AT(start_limit)},
	{"--no-wake-from CIDR", "clients that wake nothing; repeatable", .take = take_no_wake_from},
	{"--schedule WINDOW", "the times of NAME.timer; repeatable", .take = take_schedule},
	{"--notify USER", "the user to notify of starts and stops", option_take_text, AT(notify)},
	{},
};

const struct option_table keeper_option_table = {
	.usage = "keeper [OPTION]… -- ACTIVATOR [OPTION]… -- NSHELPER [OPTION]… -- PROXY [OPTION]…",
	.rows = rows,
};

/* The words after the next "--"; NULL if there are none. */
static char **next_command(char **words)
{
	while (*words && strcmp(*words, "--") != 0)
		words++;
	return words[0] && words[1] ? words + 1 : NULL;
}

enum options_result keeper_options_parse(int argc, char **argv, struct keeper_options *ret, struct error *err)
{
	struct keeper_options o = {.startup_timeout = DEFAULT_STARTUP_TIMEOUT};
	int rest;
	enum options_result r = option_table_parse(&keeper_option_table, argc, argv, &o, &rest, err);

	if (r != OPTIONS_RUN)
		return r;
	if (!o.name || !instance_name_is_valid(o.name))
		return error_set(err, 0, "--name must give the instance's name");
	o.activator = rest < argc ? argv + rest : NULL;
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
