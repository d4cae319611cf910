/* control/known.c: what is known of a container before its first wake. */
#include "control/known.h"

#include <limits.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "tests/unit/activator_fixture.h"
#include "tests/unit/instance_fixture.h"
#include "units/paths.h"

#define OTHER "11111111111111111111111111111111111111111111111111111111deadbeef"

static void what_the_lock_says(void **state)
{
	static const struct {
		const char *before, *after;
		bool in_use, by_unit;
	} rows[] = {
		{.before = "", .after = ID "\n"},
		{.before = OTHER "\n", .after = ID "\n"},
		{.before = OTHER " " STARTED "\n", .after = OTHER " " STARTED "\n"},
		{.before = RUN_STARTING, .after = RUN_STARTING},
		{.before = "", .after = "", .in_use = true},
		{.before = "", .after = "", .by_unit = true},
	};
	char text[RUN_TEXT_MAX], path[PATH_MAX + LOCK_NAME_MAX], runtime[PATH_MAX], named[LOCK_NAME_MAX];
	struct error err;

	(void)state;
	assert_int_equal(setenv("XDG_RUNTIME_DIR", directory, 1), 0);
	assert_int_equal(runtime_directory_find(SCOPE_USER, runtime, &err), 0);
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		_cleanup_(instance_clear) struct instance i = small_instance("x");
		_cleanup_close_ int fd = -1;

		i.engine_socket = strdup("/e.sock");
		i.unit = rows[k].by_unit ? strdup("x.service") : NULL;
		lock_name(i.backend, i.engine_socket, "x", named);
		(void)mkdir(runtime, 0755);
		snprintf(path, sizeof(path), "%s/%s", runtime, named);
		assert_int_equal(lock_shared(path, now_usec() + USEC_PER_SEC, &fd, &err), 0);
		lock_record(fd, rows[k].before);
		if (!rows[k].in_use)
			close_fd(&fd);
		known_remember(&i, ID);
		if (!rows[k].in_use)
			assert_int_equal(lock_shared(path, now_usec() + USEC_PER_SEC, &fd, &err), 0);
		lock_read(fd, text);
		assert_string_equal(text, rows[k].after);
	}
	unsetenv("XDG_RUNTIME_DIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_the_lock_says, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
