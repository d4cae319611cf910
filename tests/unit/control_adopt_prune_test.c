/* control/adopt_prune.c: what it counts of all that adoption looks at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/adopt_prune.h"
#include "tests/unit/instance_fixture.h"

/* How many are counted of one instance whose container is there, and has the labels. */
static unsigned counted(const struct adopt_request *what)
{
	struct label label = {(char *)"sockwake.publish", (char *)"80:80"};
	struct container c = {.id = "031ac4", .name = "web", .labels = &label, .n_labels = 1};
	struct stored s = {.instance = small_instance("web")};
	struct adoption a = {.what = what, .containers = {&c, 1}, .instances = {&s, 1}};
	struct error err;

	s.instance.adopted = true;
	assert_int_equal(adopt_prune(&a, &err), 0);
	assert_int_equal(a.failed, 0);
	stored_clear(&s);
	return a.of;
}

/* The container is counted when it is adopted. */
static void one_that_stays_is_counted_once(void **state)
{
	struct adopt_request what = {
		.base = {.scope = SCOPE_USER, .backend = BACKEND_PODMAN}, .prune = true, .dry_run = true};

	(void)state;
	assert_int_equal(counted(&what), 1);
	what.all = true;
	assert_int_equal(counted(&what), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(one_that_stays_is_counted_once)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
