/* The options that several commands take. */
#include "cli/arguments.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/nearest.h"
#include "common/parse.h"
#include "instance/schedule.h"
#include "units/paths.h"

#define LINES_MAX	1000000
#define OPTIONS_MAX	64 /* more than any command has */
#define OPTION_NAME_MAX 64

enum {
	OPTION_NAME = 256,
	OPTION_SCOPE,
	OPTION_JSON,
	OPTION_ALL,
	OPTION_NO_SELINUX,
	OPTION_WITH_CONTAINER,
	OPTION_FOR,
	OPTION_ACCEPT_VOLUMES
};

static const struct {
	int takes; /* which commands know it; 0: all */
	struct option option;
} known[] = {
	{0, {"scope", required_argument, NULL, OPTION_SCOPE}},
	{TAKES_NAME, {"name", required_argument, NULL, OPTION_NAME}},
	{TAKES_JSON, {"json", no_argument, NULL, OPTION_JSON}},
	{TAKES_ALL, {"all", no_argument, NULL, OPTION_ALL}},
	{TAKES_SELINUX, {"no-selinux", no_argument, NULL, OPTION_NO_SELINUX}},
	{TAKES_CONTAINER, {"with-container", no_argument, NULL, OPTION_WITH_CONTAINER}},
	{TAKES_VOLUMES, {"accept-volumes", no_argument, NULL, OPTION_ACCEPT_VOLUMES}},
	{TAKES_FOR, {"for", required_argument, NULL, OPTION_FOR}},
	{TAKES_LOGS, {"follow", no_argument, NULL, 'f'}},
	{TAKES_LOGS, {"lines", required_argument, NULL, 'n'}},
};
#define N_KNOWN (sizeof(known) / sizeof(*known))

enum scope scope_default(void)
{
	return geteuid() == 0 ? SCOPE_SYSTEM : SCOPE_USER;
}

/* The name in an argument like "--name" or "--name=value". */
static const char *option_name(const char *argument, char ret[static OPTION_NAME_MAX])
{
	snprintf(ret, OPTION_NAME_MAX, "%s", argument + strspn(argument, "-"));
	ret[strcspn(ret, "=")] = '\0';
	return ret;
}

/* A short form is none: what it means may change, and `--all` is too much to be meant by `--a`. */
static const char *option_meant(const char *name, const struct option *options)
{
	const char *names[OPTIONS_MAX];
	size_t n = 0;

	for (; n < OPTIONS_MAX && options[n].name; n++) {
		names[n] = options[n].name;
		if (strncmp(names[n], name, strlen(name)) == 0)
			return names[n];
	}
	return nearest(name, names, n);
}

static int wrong_option(char *argv[], const char *argument, const struct option *options, struct error *err)
{
	char name[OPTION_NAME_MAX];
	const char *meant = option_meant(option_name(argument, name), options);

	if (meant && strcmp(meant, name) == 0)
		return error_set(err, USAGE_ERROR, "'%s': the option '--%s' takes no value", argument, name);
	if (meant)
		return error_set(err, USAGE_ERROR, "there is no option '--%s': did you mean '--%s'?", name, meant);
	return error_set(err, USAGE_ERROR, "there is no option '--%s': 'sockwake help %s' shows those there are", name,
			 argv[0]);
}

int arguments_next(int argc, char *argv[], const char *shorts, const struct option *options, int *ret_index,
		   struct error *err)
{
	int code, index = -1;
	const char *argument;
	char name[OPTION_NAME_MAX];

	code = getopt_long(argc, argv, shorts, options, &index);
	*ret_index = index;
	if (code == -1)
		return 0;
	if (code == ':')
		return error_set(err, USAGE_ERROR, "the option '%s' needs a value: see 'sockwake help %s'",
				 argv[optind - 1], argv[0]);
	if (code == '?' && optopt && optopt < OPTION_NAME)
		return error_set(err, USAGE_ERROR, "there is no option '-%c': see 'sockwake help %s'", optopt, argv[0]);
	argument = argv[optind - (index >= 0 && optarg == argv[optind - 1] ? 2 : 1)];
	if (code == '?' || (index >= 0 && strcmp(option_name(argument, name), options[index].name) != 0))
		return wrong_option(argv, argument, options, err);
	return code;
}

static int check_valid(const char *name, struct error *err)
{
	if (instance_name_is_valid(name))
		return 0;
	return error_set(err, USAGE_ERROR, "the name '%s' is not 1 to 240 of the characters A-Z a-z 0-9 _ -", name);
}

static int two_names(const char *one, const char *other, struct error *err)
{
	return error_set(err, USAGE_ERROR, "two names are given, '%s' and '%s'", one, other);
}

int arguments_name(int argc, char *argv[], const char **name, struct error *err)
{
	if (optind < argc) {
		if (*name && strcmp(*name, argv[optind]) != 0)
			return two_names(*name, argv[optind], err);
		*name = argv[optind++];
	}
	if (optind < argc)
		return error_set(err, USAGE_ERROR, "'%s' is one argument too many", argv[optind]);
	return *name ? check_valid(*name, err) : 0;
}

static int name_missing(struct error *err)
{
	return error_set(err, USAGE_ERROR, "the name of an instance is missing: 'sockwake list' shows them");
}

static int take_names(int argc, char *argv[], int takes, struct arguments *ret, struct error *err)
{
	if (ret->name && optind < argc && (optind + 1 < argc || strcmp(ret->name, argv[optind]) != 0))
		return error_set(err, USAGE_ERROR, "give the names of instances either with --name or without");
	if (ret->name && check_valid(ret->name, err) < 0)
		return -1;
	for (int k = optind; k < argc; k++) {
		if (check_valid(argv[k], err) < 0)
			return -1;
		for (int m = optind; m < k; m++) {
			if (strcmp(argv[m], argv[k]) == 0)
				return error_set(err, USAGE_ERROR, "'%s' is given twice", argv[k]);
		}
	}
	ret->only[0] = (char *)ret->name;
	ret->names = optind < argc ? argv + optind : ret->name ? ret->only : NULL;
	if ((takes & TAKES_ALL) && !ret->names == !ret->all)
		return error_set(err, USAGE_ERROR, "give the names of instances, or --all");
	return (takes & NEEDS_NAMES) == NEEDS_NAMES && !ret->names ? name_missing(err) : 0;
}

static int parse_hold(const char *s, uint64_t *ret, struct error *err)
{
	if (parse_duration("the time to hold it awake", s, ret, err) == 0 && *ret > 0 && *ret <= HOLD_MAX)
		return 0;
	return error_set(err, USAGE_ERROR,
			 "--for '%s' is not a time span of at most a year: write seconds or units as in '90', '30min', "
			 "'2h'",
			 s);
}

static int take_option(int option, struct arguments *a, struct error *err)
{
	uint64_t n;

	switch (option) {
	case OPTION_NAME:
		if (a->name && strcmp(a->name, optarg) != 0)
			return two_names(a->name, optarg, err);
		a->name = optarg;
		return 0;
	case OPTION_SCOPE:
		if (scope_from_name(optarg, &a->scope) < 0)
			return error_set(err, USAGE_ERROR, "the scope '%s' is neither system nor user", optarg);
		return 0;
	case OPTION_JSON:
		a->json = true;
		return 0;
	case OPTION_ALL:
		a->all = true;
		return 0;
	case OPTION_NO_SELINUX:
		a->no_selinux = true;
		return 0;
	case OPTION_WITH_CONTAINER:
		a->with_container = true;
		return 0;
	case OPTION_ACCEPT_VOLUMES:
		a->accept_volumes = true;
		return 0;
	case OPTION_FOR:
		return parse_hold(optarg, &a->hold, err);
	case 'f':
		a->follow = true;
		return 0;
	default:
		if (parse_u64("the number of lines", optarg, 1, LINES_MAX, &n, err) < 0) {
			err->code = USAGE_ERROR;
			return -1;
		}
		a->lines = (unsigned)n;
		return 0;
	}
}

int arguments_parse(int argc, char *argv[], int takes, struct arguments *ret, struct error *err)
{
	struct option options[N_KNOWN + 1] = {};
	const char *shorts = (takes & TAKES_LOGS) == TAKES_LOGS ? ":fn:" : ":";
	int option, ignored;
	size_t n = 0;

	for (size_t k = 0; k < N_KNOWN; k++) {
		if ((takes & known[k].takes) == known[k].takes)
			options[n++] = known[k].option;
	}
	*ret = (struct arguments){.scope = scope_default()};
	optind = 0; /* glibc: start anew */
	while ((option = arguments_next(argc, argv, shorts, options, &ignored, err)) > 0) {
		if (take_option(option, ret, err) < 0)
			return -1;
	}
	if (option < 0)
		return -1;
	if ((takes & TAKES_NAMES) == TAKES_NAMES)
		return take_names(argc, argv, takes, ret, err);
	if (arguments_name(argc, argv, &ret->name, err) < 0)
		return -1;
	if (!(takes & TAKES_NAME) && ret->name)
		return error_set(err, USAGE_ERROR, "'%s' is one argument too many", ret->name);
	if ((takes & NEEDS_NAME) == NEEDS_NAME && !ret->name)
		return name_missing(err);
	return 0;
}
