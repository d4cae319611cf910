/* The configuration while the router runs: a file that changes, is wrong, or is being written. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "router/settings.h"

static char path[64];
static struct router_options options;
static struct settings settings;

/* A file of before counts at once; how old it is, ctime says, which nobody can set. */
static void put(const char *text)
{
	const struct timespec while_fresh = {.tv_nsec = 110 * 1000 * 1000};
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	(void)nanosleep(&while_fresh, NULL);
}

static int set_up(void **state)
{
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/router-settings.XXXXXX");
	fd = mkstemp(path);
	options = (struct router_options){.config = path};
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	close(settings.copy);
	return 0;
}

static void open_settings(void)
{
	struct error err;

	assert_int_equal(settings_open(&settings, &options, &err), 0);
}

/* What a worker would read. */
static void expect_copy(const char *text)
{
	char copy[256];
	ssize_t n = pread(settings.copy, copy, sizeof(copy) - 1, 0);

	assert_true(n >= 0);
	copy[n] = '\0';
	assert_string_equal(copy, text);
}

static void a_change_counts_at_the_next_look(void **state)
{
	(void)state;
	put("connections = 7\n");
	open_settings();
	assert_true(settings.known);
	assert_int_equal(settings_refresh(&settings, &options), SETTINGS_SAME);
	put("connections = 8\n");
	assert_int_equal(settings_refresh(&settings, &options), SETTINGS_NEW);
	assert_int_equal(settings.config.connections, 8);
	expect_copy("connections = 8\n");
	assert_int_equal(settings_refresh(&settings, &options), SETTINGS_SAME);
	(void)unlink(path);
	assert_int_equal(settings_refresh(&settings, &options), SETTINGS_NEW);
	assert_int_equal(settings.config.connections, 4096);
	expect_copy("");
}

static void what_is_wrong_replaces_nothing(void **state)
{
	static const char *const wrong[] = {"connection = 8\n", "[rules]\nallow = no.such\n", "[rule]\n"};

	(void)state;
	put("connections = 7\n");
	open_settings();
	for (size_t k = 0; k < sizeof(wrong) / sizeof(*wrong); k++) {
		put(wrong[k]);
		assert_int_equal(settings_refresh(&settings, &options), SETTINGS_WRONG);
		assert_int_equal(settings_refresh(&settings, &options), SETTINGS_SAME);
		assert_true(settings.known);
		assert_non_null(strstr(settings.trouble.text, path));
		assert_int_equal(settings.config.connections, 7);
		expect_copy("connections = 7\n");
	}
	put("connections = 9\n");
	assert_int_equal(settings_refresh(&settings, &options), SETTINGS_NEW);
	assert_string_equal(settings.trouble.text, "");
}

static void what_is_being_written_waits(void **state)
{
	int fd;

	(void)state;
	put("connections = 7\n");
	open_settings();
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(settings_refresh(&settings, &options), SETTINGS_SAME);
	assert_int_equal(settings.config.connections, 7);
	close(fd);
}

static void a_first_one_that_is_wrong_is_mended(void **state)
{
	(void)state;
	put("nonsense\n");
	open_settings();
	assert_false(settings.known);
	assert_non_null(strstr(settings.trouble.text, ":1: 'nonsense'"));
	expect_copy("");
	put("connections = 9\n");
	assert_int_equal(settings_refresh(&settings, &options), SETTINGS_NEW);
	assert_true(settings.known);
}

static void a_restricted_socket_without_its_file_is_not_known(void **state)
{
	(void)state;
	options.restricted = true;
	(void)unlink(path);
	open_settings();
	assert_false(settings.known);
	assert_non_null(strstr(settings.trouble.text, "there is no file"));
	put("[rules]\n");
	assert_int_equal(settings_refresh(&settings, &options), SETTINGS_NEW);
	(void)unlink(path);
	assert_int_equal(settings_refresh(&settings, &options), SETTINGS_WRONG);
	assert_true(settings.known);
	assert_true(settings.config.has_rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_change_counts_at_the_next_look, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_wrong_replaces_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_being_written_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_first_one_that_is_wrong_is_mended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_restricted_socket_without_its_file_is_not_known, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
