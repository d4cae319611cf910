/* The options that several commands take. */
#include "cli/arguments.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/nearest.h"
#include "common/parse.h"
#include "instance/schedule.h"
#include "units/paths.h"

#define LINES_MAX	1000000
#define OPTIONS_MAX	64 /* more than any command's */
#define OPTION_NAME_MAX 64

/* The name in a word like "--name", "--name=value" and "--name VALUE". */
static const char *option_name(const char *word, char ret[static OPTION_NAME_MAX])
{
	snprintf(ret, OPTION_NAME_MAX, "%s", word + strspn(word, "-"));
	ret[strcspn(ret, "= ")] = '\0';
	return ret;
}

static const char *option_meant(const char *name, const struct option_table *t,
				char names[static OPTIONS_MAX][OPTION_NAME_MAX])
{
	const char *all[OPTIONS_MAX];
	size_t n = 0;

	for (const struct option_row *row = t->rows; row->help && n < OPTIONS_MAX; row++) {
		if (!option_table_has(t, row))
			continue;
		all[n] = option_name(option_row_name(row), names[n]);
		if (strncmp(all[n], name, strlen(name)) == 0)
			return all[n];
		n++;
	}
	return nearest(name, all, n);
}

int arguments_refuse(const struct option_table *t, const struct option_fault *f, struct error *err)
{
	char name[OPTION_NAME_MAX], names[OPTIONS_MAX][OPTION_NAME_MAX];
	const char *meant;

	if (f->lacks_value)
		return error_set(err, USAGE_ERROR, "the option '%s' needs a value: see 'sockwake help %s'", f->argument,
				 f->program);
	if (f->letter)
		return error_set(err, USAGE_ERROR, "there is no option '-%c': see 'sockwake help %s'", f->letter,
				 f->program);
	meant = option_meant(option_name(f->argument, name), t, names);
	if (meant && strcmp(meant, name) == 0)
		return error_set(err, USAGE_ERROR, "'%s': the option '--%s' takes no value", f->argument, name);
	if (meant)
		return error_set(err, USAGE_ERROR, "there is no option '--%s': did you mean '--%s'?", name, meant);
	return error_set(err, USAGE_ERROR, "there is no option '--%s': 'sockwake help %s' shows those there are", name,
			 f->program);
}

int arguments_check_name(const char *name, struct error *err)
{
	if (instance_name_is_valid(name))
		return 0;
	return error_set(err, USAGE_ERROR, "the name '%s' is not 1 to 240 of the characters A-Z a-z 0-9 _ -", name);
}

static int two_names(const char *one, const char *other, struct error *err)
{
	return error_set(err, USAGE_ERROR, "two names are given, '%s' and '%s'", one, other);
}

int arguments_name(int n, char *const *plain, const char **name, struct error *err)
{
	if (n > 0) {
		if (*name && strcmp(*name, plain[0]) != 0)
			return two_names(*name, plain[0], err);
		*name = plain[0];
	}
	if (n > 1)
		return error_set(err, USAGE_ERROR, "'%s' is one argument too many", plain[1]);
	return *name ? arguments_check_name(*name, err) : 0;
}

static int name_missing(struct error *err)
{
	return error_set(err, USAGE_ERROR, "the name of an instance is missing: 'sockwake list' shows them");
}

static int take_names(int n, char **plain, unsigned takes, struct arguments *ret, struct error *err)
{
	if (ret->name && n > 0 && (n > 1 || strcmp(ret->name, plain[0]) != 0))
		return error_set(err, USAGE_ERROR, "give the names of instances either with --name or without");
	if (ret->name && arguments_check_name(ret->name, err) < 0)
		return -1;
	for (int k = 0; k < n; k++) {
		if (arguments_check_name(plain[k], err) < 0)
			return -1;
		for (int m = 0; m < k; m++) {
			if (strcmp(plain[m], plain[k]) == 0)
				return error_set(err, USAGE_ERROR, "'%s' is given twice", plain[k]);
		}
	}
	ret->only[0] = (char *)ret->name;
	ret->names = n > 0 ? plain : ret->name ? ret->only : NULL;
	if ((takes & TAKES_ALL) && !ret->names == !ret->all)
		return error_set(err, USAGE_ERROR, "give the names of instances, or --all");
	return 0;
}

static int take_name(void *name, const char *value, const struct option_row *row, struct error *err)
{
	const char **taken = name;

	if (*taken && strcmp(*taken, value) != 0)
		return two_names(*taken, value, err);
	return option_take_text(name, value, row, err);
}

int arguments_take_scope(void *scope, const char *value, const struct option_row *row, struct error *err)
{
	(void)row;
	if (scope_from_name(value, scope) < 0)
		return error_set(err, USAGE_ERROR, "the scope '%s' is neither system nor user", value);
	return 0;
}

static int take_hold(void *usec, const char *value, const struct option_row *row, struct error *err)
{
	uint64_t *hold = usec;

	(void)row;
	if (parse_duration("the time to hold it awake", value, hold, err) == 0 && *hold > 0 && *hold <= HOLD_MAX)
		return 0;
	return error_set(err, USAGE_ERROR,
			 "--for '%s' is not a time span of at most a year: write seconds or units as in '90', '30min', "
			 "'2h'",
			 value);
}

static int take_lines(void *lines, const char *value, const struct option_row *row, struct error *err)
{
	uint64_t n;

	(void)row;
	if (parse_u64("the number of lines", value, 1, LINES_MAX, &n, err) < 0) {
		err->code = USAGE_ERROR;
		return -1;
	}
	*(unsigned *)lines = (unsigned)n;
	return 0;
}

#define AT(member) .offset = offsetof(struct arguments, member)

const struct option_row arguments_rows[] = {
	{"--name NAME", "of the instance (or as a plain argument)", take_name, AT(name), TAKES_NAME},
	{"--all", "all instances of the scope", option_take_flag, AT(all), TAKES_ALL},
	{"--with-container", "also the container that create --image made; its volumes stay", option_take_flag,
	 AT(with_container), TAKES_CONTAINER},
	{"--no-selinux", "leave SELinux port labels alone", option_take_flag, AT(no_selinux), TAKES_SELINUX},
	{"--accept-volumes", "their containers' volumes are right as they are, although they were replaced or removed",
	 option_take_flag, AT(accept_volumes), TAKES_VOLUMES},
	{"--for SPAN", "and holds them awake so long, also without connections; 'sockwake sleep' ends that", take_hold,
	 AT(hold), TAKES_FOR},
	{"-f, --follow", "go on as long as the container runs", option_take_flag, AT(follow), TAKES_LOGS},
	{"-n, --lines LINES", "only so many of the last lines", take_lines, AT(lines), TAKES_LOGS},
	{"--json", "for programs", option_take_flag, AT(json), TAKES_JSON},
	{"--scope system|user", "whose instances (default: the system's for root, else one's own)",
	 arguments_take_scope, AT(scope)},
	{},
};

int arguments_read(int argc, char *argv[], const struct option_table *t, void *into, int *ret_rest, struct error *err)
{
	enum options_result r = option_table_parse(t, argc, argv, into, ret_rest, err);

	return r == OPTIONS_DONE ? error_set(err, USAGE_ERROR, "--help stands alone") : r;
}

int arguments_parse(int argc, char *argv[], const struct option_table *t, struct arguments *ret, struct error *err)
{
	char **plain;
	int rest;

	*ret = (struct arguments){.scope = scope_default()};
	if (arguments_read(argc, argv, t, ret, &rest, err) < 0)
		return -1;
	plain = argv + rest;
	if ((t->sets & TAKES_NAMES) == TAKES_NAMES)
		return take_names(argc - rest, plain, t->sets, ret, err);
	if (arguments_name(argc - rest, plain, &ret->name, err) < 0)
		return -1;
	if (!(t->sets & TAKES_NAME) && ret->name)
		return error_set(err, USAGE_ERROR, "'%s' is one argument too many", ret->name);
	if ((t->sets & NEEDS_NAME) == NEEDS_NAME && !ret->name)
		return name_missing(err);
	return 0;
}
