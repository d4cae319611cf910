/* control/keep.c: volumes are accepted although the engine does not answer. */
#include "control/keep.h"

#include "backends/volumes.h"
#include "common/clock.h"
#include "tests/unit/activator_fixture.h"
#include "tests/unit/instance_fixture.h"
#include "units/paths.h"

static const char *record_of(const struct instance *i, const char *container)
{
	static char path[PATH_MAX];
	struct error err;

	assert_int_equal(volumes_path(i->scope, i->backend, i->engine_socket, container, path, &err), 0);
	return path;
}

static bool is_recorded(const struct instance *i, const char *container)
{
	_cleanup_volumes_ struct volumes v = {};
	struct error ignored;

	return volumes_read(record_of(i, container), &v, &ignored) == 0 && v.n > 0;
}

static void accepted_for_all_without_the_engine(void **state)
{
	static const char *const containers[] = {"x", "db", "cache"};
	_cleanup_(instance_clear) struct instance i = small_instance("x");
	struct volume one = {.name = (char *)"vv", .path = (char *)"/vv"};
	struct volumes v = {.items = &one, .n = 1};
	struct error err;

	(void)state;
	i.engine_socket = strdup("/nonexistent/e.sock");
	i.dependencies[i.n_dependencies++] = (struct dependency){.container = strdup("db"), .port = 80};
	i.dependencies[i.n_dependencies++] = (struct dependency){.container = strdup("cache"), .port = 80};
	for (int k = 0; k < 3; k++) {
		assert_int_equal(volumes_write(record_of(&i, containers[k]), &v, &err), 0);
		assert_true(is_recorded(&i, containers[k]));
	}
	assert_int_equal(keep_accept(&i, &err), 0);
	for (int k = 0; k < 3; k++)
		assert_false(is_recorded(&i, containers[k]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(accepted_for_all_without_the_engine, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
