/* control/find.c: what is said of an instance that is not there. */
#include "tests/unit/instance_fixture.h"

#include "common/io.h"
#include "control/find.h"
#include "units/paths.h"
#include "units/store.h"

static char root[] = "/tmp/sockwake-find-XXXXXX";
static char directory[PATH_MAX];

static int setup(void **state)
{
	struct error err;

	(void)state;
	if (!mkdtemp(root) || setenv("XDG_CONFIG_HOME", root, 1) < 0)
		return -1;
	return unit_directory(SCOPE_USER, directory, &err) < 0 ? -1 : directory_make(directory, 0755, &err);
}

static int teardown(void **state)
{
	char command[sizeof(root) + 16];

	(void)state;
	unsetenv("XDG_CONFIG_HOME");
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void put(const char *name, const char *container)
{
	_cleanup_instance_ struct instance i = small_instance(name);
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;

	free(i.container_name);
	i.container_name = strdup(container);
	assert_int_equal(store_write(directory, &i, &before, &err), 0);
}

static const char *missing(const char *name)
{
	static struct error err;
	_cleanup_stored_ struct stored s = {};
	char where[PATH_MAX];

	err = (struct error){};
	assert_int_equal(find_instance(SCOPE_USER, name, where, &s, &err), -1);
	return err.text;
}

static void the_name_of_a_container(void **state)
{
	(void)state;
	put("site-wake", "site");
	put("sites", "another");
	assert_string_equal(missing("site"),
			    "there is no instance 'site' in the user scope: did you mean 'site-wake'?");
	assert_string_equal(missing("sitas"), "there is no instance 'sitas' in the user scope: did you mean 'sites'?");
	assert_non_null(strstr(missing("elsewhere"), "'sockwake list --scope user' shows those there are"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_name_of_a_container, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
