/* cli/set_options.h: what is given goes onto an instance, and all else stays as it is. */
#include "tests/unit/instance_fixture.h"

#include <fcntl.h>
#include <stdio.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/set_options.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "instance/json.h"

#define ARGS(...)                                                                                                      \
	(const char *const[])                                                                                          \
	{                                                                                                              \
		"set", __VA_ARGS__, NULL                                                                               \
	}

/* Changes the instance of *r as these arguments say. */
static int change(const char *const *arguments, struct create_request *r, struct error *err)
{
	struct create_line line = {};
	char *argv[32];
	int argc = 0, rest, result;

	for (; arguments[argc]; argc++)
		argv[argc] = strdup(arguments[argc]);
	argv[argc] = NULL;
	result = arguments_read(argc, argv, set_command.options, &line, &rest, err);
	if (result == 0) {
		assert_true(set_options_are_given(&line));
		result = set_options_apply(&line, r, err);
	}
	create_request_clear(&line.request);
	create_line_clear(&line);
	while (argc > 0)
		free(argv[--argc]);
	return result;
}

static struct create_request request_of(struct instance i)
{
	return (struct create_request){.instance = i};
}

static void must_change(const char *const *arguments, struct create_request *r)
{
	struct error err;

	if (change(arguments, r, &err) < 0)
		fail_msg("%s", err.text);
}

static void expect_json(struct create_request *r, struct instance *expected)
{
	_cleanup_free_ char *is = instance_to_json(&r->instance), *should = instance_to_json(expected);

	assert_string_equal(is, should);
}

static void what_is_not_named_stays(void **state)
{
	_cleanup_create_request_ struct create_request r = request_of(full_instance());
	_cleanup_instance_ struct instance i = full_instance();

	(void)state;
	must_change(ARGS("--idle-timeout", "5m"), &r);
	free(i.idle_timeout);
	i.idle_timeout = strdup("5m");
	expect_json(&r, &i);
}

static void each_kind_of_value(void **state)
{
	_cleanup_create_request_ struct create_request r = request_of(small_instance("web"));
	struct instance *i = &r.instance;

	(void)state;
	must_change(ARGS("--warm-for", "1h", "--schedule", "08:00-09:00", "--schedule", "10:00-11:00", "--workers", "4",
			 "--idle-action", "pause", "--keep-running", "-p", "80:8080"),
		    &r);
	assert_string_equal(i->warm_for, "1h");
	assert_string_equal(i->schedule[1], "10:00-11:00");
	assert_null(i->schedule[2]);
	assert_int_equal(i->workers, 4);
	assert_int_equal(i->idle_action, IDLE_PAUSE);
	assert_true(i->keep_running);
	assert_int_equal(i->n_ports, 1);
	assert_int_equal(i->ports[0].port, 80);
	/* A list as a whole. */
	must_change(ARGS("--schedule", "12:00-13:00"), &r);
	assert_string_equal(i->schedule[0], "12:00-13:00");
	assert_null(i->schedule[1]);
	assert_string_equal(i->warm_for, "1h");
	must_change(ARGS("--with", "db:5432"), &r);
	assert_int_equal(i->n_dependencies, 1);
	assert_string_equal(i->dependencies[0].health_check, "postgres");
}

static void back_to_the_default(void **state)
{
	const char *const *const ways[] = {
		ARGS("--unset", "warm-for", "--unset", "schedule", "--unset", "workers", "--unset", "idle-action",
		     "--unset", "keep-running", "--unset", "with", "--unset", "--idle-timeout", "--unset",
		     "startup-timeout"),
		ARGS("--warm-for", "", "--schedule", "", "--workers", "", "--idle-action", "", "--unset",
		     "keep-running", "--unset", "with", "--idle-timeout", "", "--startup-timeout", ""),
	};

	(void)state;
	for (size_t k = 0; k < sizeof(ways) / sizeof(*ways); k++) {
		_cleanup_create_request_ struct create_request r = request_of(full_instance());
		struct instance *i = &r.instance;

		must_change(ways[k], &r);
		assert_null(i->warm_for);
		assert_null(i->schedule);
		assert_int_equal(i->workers, 0);
		assert_int_equal(i->idle_action, IDLE_STOP);
		assert_false(i->keep_running);
		assert_int_equal(i->n_dependencies, 0);
		assert_string_equal(i->idle_timeout, "15min");
		assert_string_equal(i->startup_timeout, "30s");
		assert_non_null(i->targets);
	}
}

static void a_default_check_follows_the_port(void **state)
{
	_cleanup_create_request_ struct create_request r = request_of(small_instance("web"));

	(void)state;
	must_change(ARGS("--health-check", ""), &r);
	assert_string_equal(r.instance.health_check, "postgres");
	must_change(ARGS("-p", "80:80"), &r);
	assert_string_equal(r.instance.health_check, "listen");
	must_change(ARGS("--health-check", "http"), &r);
	must_change(ARGS("-p", "80:5432"), &r);
	assert_string_equal(r.instance.health_check, "http");
}

static void refusals(void **state)
{
	const struct {
		const char *const *arguments;
		const char *word;
	} cases[] = {
		{ARGS("--idle-timeout", "abc"), "not a time span"},
		{ARGS("--workers", "x"), "number of workers"},
		{ARGS("--unset", "idle-timout"), "shows: did you mean 'idle-timeout'?"},
		{ARGS("--unset", "--shedule"), "did you mean 'schedule'?"},
		{ARGS("--idle-action", "nap"), "neither stop nor pause"},
		{ARGS("--unset", "foo"), "not an option that 'sockwake help set' shows"},
		{ARGS("--unset", "image"), "not an option that"},
		{ARGS("--unset", "all"), "not an option that"},
		{ARGS("--unset", "publish"), "has no default"},
		{ARGS("--unset", "name"), "has no default"},
		{ARGS("--unset", "scope"), "has no default"},
		{ARGS("--image", "x"), "there is no option '--image'"},
		{ARGS("--schedule", "", "--schedule", "x"), "schedule"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_create_request_ struct create_request r = request_of(small_instance("web"));
		struct error err;

		assert_int_equal(change(cases[k].arguments, &r, &err), -1);
		if (!strstr(err.text, cases[k].word))
			fail_msg("no '%s' in '%s'", cases[k].word, err.text);
	}
}

static void nothing_is_given(void **state)
{
	struct create_line line = {.all = true};

	(void)state;
	assert_false(set_options_are_given(&line));
	line.name = (char[]){"web"};
	assert_false(set_options_are_given(&line));
	line.request.instance.keep_running = true;
	assert_true(set_options_are_given(&line));
}

/* Has --unset this option? */
static bool can_be_unset(const char *option)
{
	_cleanup_create_request_ struct create_request r = request_of(small_instance("web"));
	struct error err;

	return change(ARGS("--unset", option), &r, &err) == 0;
}

/* Is the word among those that the shell offers after --unset? They begin with "target". */
static bool is_offered(const char *text, const char *option)
{
	const char *words = strstr(text, "unset"), *end;
	size_t len = strlen(option);

	while (words && strncmp(words, "target no-boot", strlen("target no-boot")) != 0)
		words++;
	assert_non_null(words);
	end = words + strcspn(words, "\"')");
	for (const char *p = words; (p = strstr(p, option)) && p < end; p += len) {
		if (strchr("\"'( \n\t", p[-1]) && strchr("\"') \n\t", p[len]))
			return true;
	}
	return false;
}

static void shells_offer_what_can_be_unset(void **state)
{
	static const char *const files[] = {"completions/sockwake.bash", "completions/sockwake.zsh",
					    "completions/sockwake.fish"};

	(void)state;
	for (size_t k = 0; k < sizeof(files) / sizeof(*files); k++) {
		_cleanup_free_ char *text = NULL;
		struct error err;

		assert_int_equal(file_read(AT_FDCWD, files[k], 1 << 20, &text, NULL, &err), 0);
		for (const struct option_row *row = create_line_rows; row->help; row++) {
			char option[48] = "";

			if (row->option)
				snprintf(option, sizeof(option), "%s", option_row_name(row) + 2);
			option[strcspn(option, " ")] = '\0';
			if (row->option && can_be_unset(option) != is_offered(text, option))
				fail_msg("%s: --unset %s is %soffered", files[k], option,
					 can_be_unset(option) ? "not " : "");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_named_stays),
		cmocka_unit_test(each_kind_of_value),
		cmocka_unit_test(back_to_the_default),
		cmocka_unit_test(a_default_check_follows_the_port),
		cmocka_unit_test(refusals),
		cmocka_unit_test(nothing_is_given),
		cmocka_unit_test(shells_offer_what_can_be_unset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
