/* The options of set are rows of create's table: what is given goes onto a stored instance, by the type of the row. */
#include "cli/set_options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/nearest.h"
#include "control/dependencies.h"
#include "control/health_word.h"
#include "instance/defaults.h"
#include "instance/dependency.h"
#include "instance/health_check.h"
#include "instance/validate.h"

static void clear_list(char ***list)
{
	for (char **p = *list; p && *p; p++)
		free(*p);
	free_ptr(list);
}

static int copy_list(char ***to, char *const *from, struct error *err)
{
	clear_list(to);
	if (from[0] && !from[0][0] && !from[1]) /* '' alone */
		return 0;
	for (; *from; from++) {
		if (create_line_append(to, *from, err) < 0)
			return -1;
	}
	return 0;
}

/* The member of an instance that the row is for; NULL: another one. */
static void *member(const struct option_row *row, struct instance *i)
{
	size_t begin = offsetof(struct create_line, request.instance), end = begin + sizeof(*i);

	return row->offset >= begin && row->offset < end ? (char *)i + (row->offset - begin) : NULL;
}

static int overlay_row(const struct option_row *row, const void *given, void *to, struct error *err)
{
	if (row->take == option_take_flag) {
		*(bool *)to |= *(const bool *)given;
	} else if (row->take == create_line_take_list && *(char *const *const *)given) {
		return copy_list(to, *(char *const *const *)given, err);
	} else if (row->take == create_line_take_text && *(const char *const *)given) {
		const char *value = *(const char *const *)given;

		if (*value)
			return create_line_replace(to, value, err);
		free_ptr(to);
	}
	return 0;
}

static const struct option_row *find_row(const char *option)
{
	option += strspn(option, "-");
	for (const struct option_row *row = create_line_rows; row->help; row++) {
		size_t len = row->option ? strcspn(option_row_name(row) + 2, " ") : 0;

		if (len == strlen(option) && strncmp(option_row_name(row) + 2, option, len) == 0)
			return row;
	}
	return NULL;
}

static void clear_dependencies(struct instance *i)
{
	for (size_t k = 0; k < i->n_dependencies; k++)
		dependency_clear(&i->dependencies[k]);
	i->n_dependencies = 0;
}

/* What is not a member of the instance. */
static int unset_line(const struct option_row *row, const char *option, struct instance *i, struct error *err)
{
	switch (row->offset) {
	case offsetof(struct create_line, idle_action):
		i->idle_action = IDLE_STOP;
		return 0;
	case offsetof(struct create_line, workers):
		i->workers = 0;
		return 0;
	case offsetof(struct create_line, no_notifications):
		return create_line_find_user(i, true, err);
	case offsetof(struct create_line, request.dependencies):
	case offsetof(struct create_line, request.with_project):
		clear_dependencies(i);
		return 0;
	default:
		return error_set(err, 0, "--unset '%s': that option has no default", option);
	}
}

#define OPTIONS_MAX 128
#define WORD_MAX    64

static int no_option(const char *option, struct error *err)
{
	static char words[OPTIONS_MAX][WORD_MAX];
	const char *names[OPTIONS_MAX], *meant;
	size_t n = 0;

	for (const struct option_row *row = create_line_rows; row->help && n < OPTIONS_MAX; row++) {
		if (!row->option || row->sets)
			continue;
		snprintf(words[n], WORD_MAX, "%.*s", (int)strcspn(option_row_name(row) + 2, " "),
			 option_row_name(row) + 2);
		names[n] = words[n];
		n++;
	}
	meant = nearest(option + strspn(option, "-"), names, n);
	return error_set(err, 0, "--unset '%s' is not an option that 'sockwake help set' shows%s%s%s", option,
			 meant ? ": did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

static int unset(const char *option, struct instance *i, struct error *err)
{
	const struct option_row *row = find_row(option);
	void *to = row ? member(row, i) : NULL;

	if (!row || row->sets)
		return no_option(option, err);
	if (!to)
		return unset_line(row, option, i, err);
	if (row->take == option_take_flag)
		*(bool *)to = false;
	else if (row->take == create_line_take_list)
		clear_list(to);
	else if (row->take == create_line_take_text)
		free_ptr(to);
	else
		return error_set(err, 0, "--unset '%s': that option has no default", option);
	return 0;
}

/* The values that stand in the line itself. */
static int overlay_line(const struct create_line *line, struct create_request *r, struct error *err)
{
	struct create_line words = *line; /* owns nothing */
	struct instance *i = &r->instance;

	if (words.idle_action && !*words.idle_action) {
		i->idle_action = IDLE_STOP;
		words.idle_action = NULL;
	}
	if (words.workers && !*words.workers) {
		i->workers = 0;
		words.workers = NULL;
	}
	if (create_line_read_words(&words, i, err) < 0)
		return -1;
	if (line->request.dependencies || line->request.with_project)
		clear_dependencies(i);
	r->with_project = line->request.with_project;
	if (line->request.dependencies && copy_list(&r->dependencies, line->request.dependencies, err) < 0)
		return -1;
	if (line->request.instance.user || line->no_notifications)
		return create_line_find_user(i, !line->no_notifications, err);
	return 0;
}

static int overlay(const struct create_line *line, struct create_request *r, struct error *err)
{
	struct instance given = line->request.instance; /* owns nothing */

	for (char **p = line->unset; p && *p; p++) {
		if (unset(*p, &r->instance, err) < 0)
			return -1;
	}
	for (const struct option_row *row = create_line_rows; row->help; row++) {
		void *to = row->option ? member(row, &r->instance) : NULL;

		if (to && overlay_row(row, member(row, &given), to, err) < 0)
			return -1;
	}
	if (given.n_ports) {
		memcpy(r->instance.ports, given.ports, sizeof(given.ports));
		r->instance.n_ports = given.n_ports;
	}
	return overlay_line(line, r, err);
}

/* A check that was the default for the old port follows to the new one. */
static int complete_check(struct instance *i, const char *default_before, struct error *err)
{
	if (i->health_check && strcmp(i->health_check, default_before) != 0)
		return 0;
	return create_line_replace(&i->health_check, health_check_default(&i->ports[0], i->targets), err);
}

static int complete(struct create_request *r, const char *default_before, struct error *err)
{
	struct instance *i = &r->instance;

	if ((!i->startup_timeout && create_line_replace(&i->startup_timeout, DEFAULT_STARTUP_TIMEOUT_TEXT, err) < 0) ||
	    (!i->idle_timeout && create_line_replace(&i->idle_timeout, DEFAULT_IDLE_TIMEOUT_TEXT, err) < 0) ||
	    complete_check(i, default_before, err) < 0 || dependencies_parse(r, err) < 0 ||
	    instance_validate(i, err) < 0)
		return -1;
	return health_word_check(i, err);
}

int set_options_apply(const struct create_line *line, struct create_request *r, struct error *err)
{
	struct instance *i = &r->instance;
	const char *before = i->n_ports ? health_check_default(&i->ports[0], i->targets) : "";

	return overlay(line, r, err) < 0 ? -1 : complete(r, before, err);
}

static bool is_given(const struct option_row *row, const struct create_line *line)
{
	const void *at = (const char *)line + row->offset;

	if (row->take == option_take_flag)
		return *(const bool *)at;
	return (row->take == create_line_take_text || row->take == create_line_take_list) && *(const void *const *)at;
}

bool set_options_are_given(const struct create_line *line)
{
	bool changes = line->request.instance.n_ports > 0 || line->unset;

	for (const struct option_row *row = create_line_rows; row->help && !changes; row++)
		changes = row->option && row->offset != offsetof(struct create_line, name) &&
			  row->offset != offsetof(struct create_line, all) && is_given(row, line);
	return changes;
}
