/* units/hidden.c: which unit files of others ours hide. The service manager, which says where it looks, is a fake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "instance_fixture.h"
#include "tests/unit/manager_fixture.h"
#include "units/hidden.h"

/* Above ours, ours, and two below. */
static const char *const folders[] = {"control", "etc", "generator", "lib"};

static const char *in(const char *folder, const char *file)
{
	static char paths[4][200];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s%s%s", fake.directory, folder, *file ? "/" : "", file);
	return path;
}

static int make_folders(void **state)
{
	char path[160] = ""; /* as the table keeps it */

	if (manager_setup(state) < 0)
		return -1;
	for (size_t k = 0; k < sizeof(folders) / sizeof(*folders); k++) {
		if (mkdir(in(folders[k], ""), 0755) < 0)
			return -1;
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s%s", k ? " " : "", in(folders[k], ""));
	}
	fake_set(&fake, FAKE_MANAGER, "UnitPath", path);
	return 0;
}

static void put(const char *folder, const char *file)
{
	FILE *f = fopen(in(folder, file), "we");

	assert_non_null(f);
	fclose(f);
}

/* The last two parts of the path that an instance `name` hides. */
static const char *hides(const char *name, char *schedule)
{
	char *windows[] = {schedule, NULL};
	struct instance i = {.name = (char *)(uintptr_t)name, .schedule = schedule ? windows : NULL};
	const struct instance *list = &i;
	static struct hidden hidden;
	struct error err;

	if (hidden_find(m, in("etc", ""), &list, 1, &hidden, &err) < 0)
		return err.text[0] ? "error" : "";
	return hidden.path[0] ? hidden.path + strlen(fake.directory) + 1 : "";
}

static void only_what_comes_after_ours(void **state)
{
	(void)state;
	put("etc", "web.service");
	put("etc", "web.socket");
	put("control", "web.service");
	assert_string_equal(hides("web", NULL), "");
	put("lib", "web.timer"); /* which an instance without a schedule does not have */
	put("lib", "website.service");
	assert_string_equal(hides("web", NULL), "");
	assert_string_equal(hides("web", (char[]){"08:00-18:00"}), "lib/web.timer");
	put("lib", "web.socket");
	assert_string_equal(hides("web", NULL), "lib/web.socket");
	put("generator", "web.service");
	assert_string_equal(hides("web", NULL), "generator/web.service");
	assert_int_equal(symlink("/dev/null", in("lib", "db.service")), 0);
	assert_string_equal(hides("db", NULL), "");
}

static void a_manager_that_does_not_tell(void **state)
{
	(void)state;
	put("lib", "web.service");
	fake_on(&fake, (struct fake_event){"Get manager UnitPath", .what = FAIL, .value = "a.b"});
	assert_string_equal(hides("web", NULL), "error");
	fake_set(&fake, FAKE_MANAGER, "UnitPath", in("lib", "")); /* ours is not among them */
	assert_string_equal(hides("web", NULL), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_comes_after_ours, make_folders, manager_teardown),
		cmocka_unit_test_setup_teardown(a_manager_that_does_not_tell, make_folders, manager_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
