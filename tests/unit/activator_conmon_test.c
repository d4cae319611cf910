/* activator/conmon.c: what /proc says of conmon's children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "activator/conmon.h"

#define ID "0a15327bf593d746616d4d8a7b37bc3647811b69c92507823cea144b11ed21fe"

static void groups(void **state)
{
	char group[256], line[600];

	(void)state;
	assert_true(
		conmon_group("9:name=systemd:/\n0::/user.slice/libpod-" ID ".scope/container\n", group, sizeof(group)));
	assert_string_equal(group, "/user.slice/libpod-" ID ".scope/container");
	assert_true(conmon_group("0::/", group, sizeof(group)));
	assert_string_equal(group, "/");
	assert_false(conmon_group("", group, sizeof(group)));
	assert_false(conmon_group("1:name=systemd:0::/x\n10::/x\n", group, sizeof(group)));
	assert_false(conmon_group("0::/0123456789\n", group, 11));
	assert_true(conmon_group("0::/012345678\n", group, 11));
	/* A path of another hierarchy is its owner's to choose, and may have the beginning of a line anywhere in it. */
	for (size_t n = 200; n < 300; n++) {
		snprintf(line, sizeof(line), "1:name=systemd:/%0*d0::/libpod-" ID "\n", (int)n, 0);
		assert_false(conmon_group(line, group, sizeof(group)));
	}
}

static void identifiers(void **state)
{
	char id[CONTAINER_ID_MAX];

	(void)state;
	assert_true(conmon_id("/a.slice/libpod-" ID ".scope/container", id));
	assert_string_equal(id, ID);
	assert_true(conmon_id("/x.service/libpod-payload-" ID, id));
	assert_string_equal(id, ID);
	assert_false(conmon_id("/x.slice/libpod-conmon-" ID ".scope", id));
	assert_false(conmon_id("/x.slice/libpod-" ID "0.scope", id));
	assert_false(conmon_id("/x.slice/libpod-0a15", id));
	assert_false(conmon_id("/x.slice/y-libpod", id));
}

static void children(void **state)
{
	const char *rest = "856 4711 ";

	(void)state;
	assert_int_equal(conmon_child(&rest), 856);
	assert_int_equal(conmon_child(&rest), 4711);
	assert_int_equal(conmon_child(&rest), 0);
	assert_int_equal(conmon_child(&(const char *){"99999999999999999999"}), 0);
	assert_int_equal(conmon_child(&(const char *){"4294967297"}), 0);
	assert_int_equal(conmon_child(&(const char *){"-1"}), 0);
	assert_int_equal(conmon_child(&(const char *){"x"}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups),
		cmocka_unit_test(identifiers),
		cmocka_unit_test(children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
