/* What the folder units/ does when memory runs out: a text is whole, or there is none. */
#include "tests/unit/instance_fixture.h"
#include "tests/unit/memory_fixture.h"

#include <unistd.h>

#include "units/command_line.h"
#include "units/drop_in.h"
#include "units/quadlet.h"
#include "units/render.h"
#include "units/sleep_command.h"
#include "units/store.h"

static struct instance full;
static char directory[64];

static bool reads_command_line(void)
{
	_cleanup_command_line_ struct command_line c = {};
	struct error err = {};
	int r = command_line_parse("/bin/a b c", &c, &err);

	assert_int_equal(r < 0, err.code == ENOMEM);
	if (r == 0)
		assert_string_equal(c.words[2], "c");
	return r == 0;
}

static bool makes_command_line(void)
{
	_cleanup_command_line_ struct command_line c = {};
	struct error err = {};
	int r = units_sleep_command(&full, &c, &err);

	assert_int_equal(r < 0, err.code == ENOMEM);
	if (r == 0)
		assert_string_equal(c.words[c.n - 1], "--with-keep-running");
	return r == 0;
}

static bool makes_drop_in(void)
{
	const char *const publish[] = {"1:1", NULL};
	struct error err = {};
	_cleanup_free_ char *text = drop_in_render(&full, "Container", publish, &err);

	assert_int_equal(!text, err.code == ENOMEM);
	return text;
}

static bool makes_quadlet(void)
{
	struct made_container o = {.image = (char[]){"x"}};
	struct error err = {};
	_cleanup_free_ char *text = quadlet_render("web", &o, &err);

	assert_int_equal(!text, err.code == ENOMEM);
	return text;
}

static void texts(void **state)
{
	(void)state;
	full = full_instance();
	memory_each(reads_command_line, 3);
	memory_each(makes_command_line, 30);
	memory_each(makes_drop_in, 1);
	memory_each(makes_quadlet, 1);
	instance_clear(&full);
}

static bool renders(void)
{
	_cleanup_rendered_ struct rendered r = {};
	struct error err = {};
	int n = units_render(&full, &r, &err);

	assert_int_equal(n < 0, err.text[0] != '\0');
	if (n == 0)
		assert_non_null(strstr(r.socket, "\nWantedBy=sockets.target\n"));
	return n == 0;
}

/* The instance is listed, whole. */
static bool lists(void)
{
	_cleanup_stored_list_ struct stored_list l = {};
	struct error err = {};
	int r = store_scan(directory, &l, &err);

	assert_int_equal(r < 0, err.text[0] != '\0');
	return r == 0 && l.n == 1 && !l.items[0].problem;
}

static void units_of_an_instance(void **state)
{
	_cleanup_snapshot_ struct snapshot before = {};
	char command[128];
	struct error err;

	(void)state;
	full = full_instance();
	strcpy(directory, "/tmp/sockwake-memory-XXXXXX");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(store_write(directory, &full, &before, &err), 0);
	memory_each(renders, 50);
	memory_each(lists, 50);
	instance_clear(&full);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(units_of_an_instance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
