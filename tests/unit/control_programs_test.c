/* control/programs.c: units whose programs are not there any more. */
#include "tests/unit/instance_fixture.h"

#include <sys/stat.h>

#include "common/io.h"
#include "common/path.h"
#include "control/programs.h"
#include "units/render.h"

static char directory[64];

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockwake-programs-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static void put(const char *file, const char *text, mode_t mode)
{
	char path[PATH_MAX];
	struct error err;

	if (path_join(directory, file, path, &err) < 0 || file_write_atomic(path, text, strlen(text), mode, &err) < 0)
		fail_msg("%s", err.text);
}

/* A service's text in which every @ stands for the directory. */
static const char *service(const char *text)
{
	static char buffer[8192];
	size_t n = 0;

	for (; *text; text++)
		n += (size_t)(*text == '@' ? snprintf(buffer + n, sizeof(buffer) - n, "%s", directory)
					   : snprintf(buffer + n, sizeof(buffer) - n, "%c", *text));
	return buffer;
}

/* NULL: nothing is missing. */
static void expect(const char *text, const char *file, const char *trouble)
{
	_cleanup_programs_ struct programs p = {};
	char path[PATH_MAX], wanted[PATH_MAX];
	const char *found;
	struct error err;

	assert_int_equal(programs_find_missing(&p, SCOPE_USER, service(text), path, &found), file != NULL);
	if (!file)
		return;
	assert_int_equal(path_join(directory, file, wanted, &err), 0);
	assert_string_equal(path, wanted);
	assert_string_equal(found, trouble);
}

static void programs_of_a_service(void **state)
{
	(void)state;
	put("a", "", 0755);
	put("b", "", 0711);
	put("plain", "", 0644);
	mkdir(service("@/dir"), 0755);
	expect("[Service]\nExecStart=:@/a --x y -- @/b z\n", NULL, NULL);
	expect("[Service]\nExecStart=:@/gone --x y -- @/b z\n", "gone", "is missing");
	expect("[Service]\nExecStart=:@/a --x y -- @/b z -- @/gone", "gone", "is missing");
	expect("[Service]\nExecStart=:@/a\nExecStopPost=-:@/gone --sleep\n", "gone", "is missing");
	expect("[Service]\nExecStart=:@/a\nExecStartPost=-:\"@/go ne\" x\n", "go ne", "is missing");
	expect("[Service]\nExecStart=:@/a -- @/plain\n", "plain", "is not executable");
	expect("[Service]\nExecStart=:@/dir\n", "dir", "is no program");
	expect("[Service]\nExecStart=:@/a/b\n", "a/b", "is missing");
	/* arguments, and what is no command */
	expect("[Service]\nExecStart=:@/a --target @/gone --health-check -- --b\nX=@/gone\n", NULL, NULL);
	expect("[Service]\nExecStart=\"@/gone\n", NULL, NULL);
	expect("", NULL, NULL);
}

static void each_path_is_looked_at_once(void **state)
{
	_cleanup_programs_ struct programs p = {};
	char path[PATH_MAX];
	const char *trouble;

	(void)state;
	for (int k = 0; k < 3; k++)
		assert_true(programs_find_missing(&p, SCOPE_USER, service("ExecStart=@/a -- @/b -- @/gone"), path,
						  &trouble));
	assert_int_equal(p.n, 3);
}

static void describe(const struct instance *i, const char *const *words)
{
	_cleanup_programs_ struct programs p = {};
	char text[512];

	programs_describe_units(&p, directory, i, text, sizeof(text));
	if (!words)
		assert_string_equal(text, "");
	for (; words && *words; words++) {
		if (!strstr(text, *words))
			fail_msg("'%s' is not in: %s", *words, text);
	}
}
#define DESCRIBE(i, ...) describe(i, (const char *const[]){__VA_ARGS__, NULL})

static void units_that_wake_nothing(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");

	(void)state;
	DESCRIBE(&i, "/pg.service' is missing", "'sockwake refresh pg'");
	put("pg.service", service("[Service]\nExecStart=:@/a -- @/gone\n"), 0644);
	DESCRIBE(&i, "/gone' is missing", "'sockwake refresh ");
	put("pg.service", service("[Service]\nExecStart=:@/a -- @/b\n"), 0644);
	describe(&i, NULL);
	put("pg.service", "nonsense", 0644);
	describe(&i, NULL);
	i.legacy = true; /* its programs are not ours */
	put("pg.service", service("[Service]\nExecStart=:@/gone\n"), 0644);
	describe(&i, NULL);
}

/* What was rendered, as if it had been for programs of that directory. */
static char *moved(const char *text)
{
	size_t len;
	char *ret;
	FILE *f = open_memstream(&ret, &len);

	while (*text) {
		if (strncmp(text, LIBEXECDIR "/", sizeof(LIBEXECDIR)) == 0) {
			fputs(directory, f);
			text += strlen(LIBEXECDIR);
		}
		fputc(*text++, f);
	}
	fclose(f);
	return ret;
}

/* All that is rendered is found: were one left out, a missing file would go unseen. */
static void rendered_units(void **state)
{
	static const char *const names[] = {"keeper", "activator", "nshelper", "proxy"};
	_cleanup_instance_ struct instance i = full_instance();
	_cleanup_rendered_ struct rendered r = {};
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	const char *trouble;
	struct error err;

	(void)state;
	assert_int_equal(units_render(&i, &r, &err), 0);
	text = moved(r.service);
	for (size_t k = 0; k < 4; k++)
		put(names[k], "", 0755);
	expect(text, NULL, NULL);
	for (size_t k = 0; k < 4; k++) {
		_cleanup_programs_ struct programs p = {};

		assert_int_equal(path_join(directory, names[k], path, &err), 0);
		if (!strstr(text, path))
			continue;
		unlink(path);
		assert_true(programs_find_missing(&p, SCOPE_USER, text, path, &trouble));
		put(names[k], "", 0755);
	}
}

static void own_programs(void **state)
{
	struct stat st;
	struct error err = {};

	(void)state;
	if (stat(LIBEXECDIR "/activator", &st) == 0 && stat(LIBEXECDIR "/proxy", &st) == 0)
		return; /* installed here */
	assert_int_equal(programs_check(&err), -1);
	assert_non_null(strstr(err.text, LIBEXECDIR "/"));
	assert_non_null(strstr(err.text, "make install"));
	assert_non_null(strstr(err.text, "'sockwake refresh --all'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_of_a_service),
		cmocka_unit_test(each_path_is_looked_at_once),
		cmocka_unit_test(units_that_wake_nothing),
		cmocka_unit_test(rendered_units),
		cmocka_unit_test(own_programs),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
