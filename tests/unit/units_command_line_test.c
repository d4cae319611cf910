/* units/command_line.c and sleep_command.c: the words of a command line, to a unit file and back. */
#include "tests/unit/instance_fixture.h"

#include "units/command_line.h"
#include "units/render.h"
#include "units/sleep_command.h"

static void expect_words(const char *text, const char *const *words)
{
	_cleanup_command_line_ struct command_line c = {};
	struct error err;
	size_t n = 0;

	if (command_line_parse(text, &c, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	for (; words[n]; n++) {
		assert_true(n < c.n);
		assert_string_equal(c.words[n], words[n]);
	}
	assert_int_equal(c.n, n);
}
#define EXPECT(text, ...) expect_words(text, (const char *const[]){__VA_ARGS__, NULL})

static void words(void **state)
{
	(void)state;
	EXPECT("/bin/a", "/bin/a");
	EXPECT("-:/bin/a b  c ", "/bin/a", "b", "c");
	EXPECT("/a \"\" b", "/a", "", "b");
	EXPECT("/a %b 100% %%", "/a", "%b", "100%", "%"); /* one alone is itself */
	EXPECT("/a \"b c\" \"100%% \\\"x\\\" \\\\ \\x0a\"", "/a", "b c", "100% \"x\" \\ \n");
	expect_words("", (const char *const[]){NULL});
	expect_words(" ", (const char *const[]){NULL});
}

static void without_an_end(void **state)
{
	static const char *const texts[] = {"/a \"b", "/a b\\", "/a \"\\x\"", "/a \\x0", "/a \\xg0"};

	(void)state;
	for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
		_cleanup_command_line_ struct command_line c = {};
		struct error err = {};

		assert_int_equal(command_line_parse(texts[k], &c, &err), -1);
		assert_int_equal(err.code, EINVAL);
		assert_true(err.text[0]);
	}
}

/* What is behind the first ExecStopPost=, on a line of its own. */
static char *stop_post(const char *service)
{
	const char *key = "\nExecStopPost=", *at = strstr(service, key);

	assert_non_null(at);
	at += strlen(key);
	return strndup(at, strcspn(at, "\n"));
}

static void expect_same_sleep(const struct instance *i)
{
	_cleanup_command_line_ struct command_line c = {}, rendered = {};
	_cleanup_rendered_ struct rendered r = {};
	_cleanup_free_ char *line = NULL;
	struct error err;

	if (units_render(i, &r, &err) < 0 || units_sleep_command(i, &c, &err) < 0)
		fail_msg("%s", err.text);
	line = stop_post(r.service);
	assert_int_equal(command_line_parse(line, &rendered, &err), 0);
	assert_int_equal(c.n, rendered.n);
	for (size_t k = 0; k < c.n; k++)
		assert_string_equal(c.words[k], rendered.words[k]);
	assert_null(c.words[c.n]);
}

/* By hand the same is done as by the unit. */
static void sleep_as_the_unit_does(void **state)
{
	_cleanup_instance_ struct instance small = small_instance("pg"), full = full_instance();

	(void)state;
	expect_same_sleep(&small);
	small.adopted = true;
	small.dependencies[small.n_dependencies++] = (struct dependency){.container = strdup("db")};
	expect_same_sleep(&small);
	expect_same_sleep(&full);
	free(full.engine_socket);
	full.engine_socket = strdup("/run/\"odd\" 100%/p\\.sock");
	full.keep_running = false;
	expect_same_sleep(&full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(without_an_end),
		cmocka_unit_test(sleep_as_the_unit_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
