/* router/subordinates.c: whose a subordinate user ID is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "router/subordinates.h"

static void read_from(const char *text, struct subordinates *ret)
{
	char path[] = "/tmp/sockwake-test-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0 && dprintf(fd, "%s", text) >= 0);
	close(fd);
	subordinates_read(path, ret);
	unlink(path);
}

static void each_range_is_one(void **state)
{
	struct subordinates s;

	(void)state;
	read_from("ann:100000:65536\nbob:165536:65536\n1002:300000:1\n", &s);
	assert_int_equal(s.n, 3);
	assert_int_equal(subordinates_first(&s, 99999), 99999);
	assert_int_equal(subordinates_first(&s, 100000), 100000);
	assert_int_equal(subordinates_first(&s, 165535), 100000);
	assert_int_equal(subordinates_first(&s, 165536), 165536);
	assert_int_equal(subordinates_first(&s, 231072), 231072);
	assert_int_equal(subordinates_first(&s, 300000), 300000);
	assert_int_equal(subordinates_first(&s, 300001), 300001);
	subordinates_clear(&s);
	assert_int_equal(subordinates_first(&s, 100001), 100001);
}

static void nonsense_is_left_out(void **state)
{
	struct subordinates s;

	(void)state;
	read_from("\n# ann:1:2\nann\nann:x:2\nann:0:70000\nann:5:0\nann:4294967290:10\nann:99999999999:1\nbob:7:2", &s);
	assert_int_equal(s.n, 1);
	assert_int_equal(subordinates_first(&s, 8), 7);
	subordinates_clear(&s);
	subordinates_read("/no/such/file", &s);
	assert_int_equal(s.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_range_is_one),
		cmocka_unit_test(nonsense_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
