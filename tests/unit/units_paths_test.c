/* units/paths.c, and the other paths made of them: where everything is, and paths that are too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/hash.h"
#include "units/bus.h"
#include "units/drop_in.h"
#include "units/paths.h"
#include "units/quadlet.h"

typedef int (*path_fn)(enum scope scope, char ret[static PATH_MAX], struct error *err);

static int quadlet(enum scope scope, char ret[static PATH_MAX], struct error *err)
{
	return quadlet_path(scope, "web", ret, err);
}

static int drop_in(enum scope scope, char ret[static PATH_MAX], struct error *err)
{
	return drop_in_path(scope, "/usr/share/containers/systemd/x.container", "web", ret, err);
}

static int volumes(enum scope scope, char ret[static PATH_MAX], struct error *err)
{
	return volumes_path(scope, BACKEND_PODMAN, "/nonexistent/a.sock", "db", ret, err);
}

static const struct {
	path_fn f;
	const char *of_system, *variable, *of_variable, *of_home;
} cases[] = {
	{unit_directory, "/etc/systemd/system", "XDG_CONFIG_HOME", "/x/systemd/user", "/h/.config/systemd/user"},
	{quadlet_directory, "/etc/containers/systemd", "XDG_CONFIG_HOME", "/x/containers/systemd",
	 "/h/.config/containers/systemd"},
	{quadlet, "/etc/containers/systemd/web-container.container", "XDG_CONFIG_HOME",
	 "/x/containers/systemd/web-container.container", "/h/.config/containers/systemd/web-container.container"},
	{drop_in, "/etc/containers/systemd/x.container.d/sockwake-web.conf", "XDG_CONFIG_HOME",
	 "/x/containers/systemd/x.container.d/sockwake-web.conf",
	 "/h/.config/containers/systemd/x.container.d/sockwake-web.conf"},
	{runtime_directory_find, "/run/sockwake", "XDG_RUNTIME_DIR", "/x/sockwake", NULL},
	{manager_socket, "/run/systemd/private", "XDG_RUNTIME_DIR", "/x/systemd/private", NULL},
};
#define N (sizeof(cases) / sizeof(*cases))

static void clear_environment(void)
{
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("STATE_DIRECTORY");
	setenv("HOME", "/h", 1);
}

static void expect(path_fn f, enum scope scope, const char *expected)
{
	char path[PATH_MAX];
	struct error err;

	if (f(scope, path, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(path, expected);
}

static void where_everything_is(void **state)
{
	char of_user[64];

	(void)state;
	for (size_t k = 0; k < N; k++) {
		clear_environment();
		if (cases[k].of_home)
			expect(cases[k].f, SCOPE_USER, cases[k].of_home);
		setenv(cases[k].variable, "/x", 1);
		expect(cases[k].f, SCOPE_USER, cases[k].of_variable);
		expect(cases[k].f, SCOPE_SYSTEM, cases[k].of_system);
		setenv(cases[k].variable, "x", 1); /* not absolute: as if it were not set */
		if (cases[k].of_home)
			expect(cases[k].f, SCOPE_USER, cases[k].of_home);
	}
	clear_environment();
	snprintf(of_user, sizeof(of_user), "/run/user/%u/sockwake", (unsigned)geteuid());
	expect(runtime_directory_find, SCOPE_USER, of_user);
}

static void what_is_remembered(void **state)
{
	char name[64], path[160];
	uint64_t hash = fnv1a(FNV1A_BASIS, "/nonexistent/a.sock\ndb");

	(void)state;
	clear_environment();
	snprintf(name, sizeof(name), "podman-%016llx.volumes", (unsigned long long)hash);
	snprintf(path, sizeof(path), "/var/lib/sockwake/%s", name);
	expect(volumes, SCOPE_SYSTEM, path);
	snprintf(path, sizeof(path), "/h/.local/state/sockwake/%s", name);
	expect(volumes, SCOPE_USER, path);
	setenv("STATE_DIRECTORY", "/s:/t", 1); /* the first of a list */
	snprintf(path, sizeof(path), "/s/%s", name);
	expect(volumes, SCOPE_SYSTEM, path);
	expect(volumes, SCOPE_USER, path);
}

static void without_home(void **state)
{
	const struct passwd *pw = getpwuid(geteuid());
	char path[PATH_MAX];

	(void)state;
	assert_non_null(pw);
	clear_environment();
	unsetenv("HOME");
	snprintf(path, sizeof(path), "%s/.config/systemd/user", pw->pw_dir);
	expect(unit_directory, SCOPE_USER, path);
}

/* A directory that is as long as a path can be: what is in it is longer. */
static void what_is_too_long(void **state)
{
	static char directory[PATH_MAX + 100];
	char path[PATH_MAX];
	struct error err;

	(void)state;
	memset(directory, 'x', sizeof(directory));
	directory[0] = '/';
	for (int longer = 0; longer < 2; longer++) { /* it fits alone, or not even that */
		directory[PATH_MAX - 1] = 'x';
		directory[longer ? PATH_MAX + 50 : PATH_MAX - 5] = '\0';
		for (size_t k = 0; k < N; k++) {
			clear_environment();
			setenv(cases[k].variable, directory, 1);
			err = (struct error){};
			assert_int_equal(cases[k].f(SCOPE_USER, path, &err), -1);
			assert_int_equal(err.code, ENAMETOOLONG);
		}
		clear_environment();
		setenv("STATE_DIRECTORY", directory, 1);
		assert_int_equal(volumes(SCOPE_USER, path, &err), -1);
		clear_environment();
		setenv("HOME", directory, 1);
		assert_int_equal(unit_directory(SCOPE_USER, path, &err), -1);
		assert_int_equal(volumes(SCOPE_USER, path, &err), -1);
	}
	clear_environment();
}

/* The longest name of an instance. */
static void long_names(void **state)
{
	char name[241], path[PATH_MAX], expected[PATH_MAX], unit[UNIT_NAME_MAX];
	struct error err;

	(void)state;
	memset(name, 'n', 240);
	name[240] = '\0';
	assert_int_equal(quadlet_path(SCOPE_SYSTEM, name, path, &err), 0);
	snprintf(expected, sizeof(expected), "/etc/containers/systemd/%s-container.container", name);
	assert_string_equal(path, expected);
	snprintf(expected, sizeof(expected), "%s.service", name);
	assert_string_equal(unit_name(name, SERVICE_SUFFIX, unit), expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_everything_is), cmocka_unit_test(what_is_remembered),
		cmocka_unit_test(without_home),	       cmocka_unit_test(what_is_too_long),
		cmocka_unit_test(long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
