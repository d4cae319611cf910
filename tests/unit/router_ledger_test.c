#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/clock.h"
#include "router/ledger.h"

static unsigned write_until_full(struct ledger *l, uint64_t now)
{
	unsigned n = 0;

	while (ledger_allows(l, now))
		n++;
	return n;
}

static void a_flood_leaves_a_few_lines_a_second(void **state)
{
	struct ledger l = {};
	uint64_t now = 1000 * USEC_PER_SEC;

	(void)state;
	assert_int_equal(write_until_full(&l, now), LEDGER_BURST);
	assert_int_equal(l.left_out, 1);
	for (int i = 0; i < 10; i++) {
		now += USEC_PER_SEC;
		assert_int_equal(write_until_full(&l, now), LEDGER_RATE);
	}
	assert_int_equal(l.left_out, 11);
}

static void quiet_times_earn_no_more_than_a_burst(void **state)
{
	struct ledger l = {};

	(void)state;
	assert_true(ledger_allows(&l, USEC_PER_SEC));
	assert_int_equal(write_until_full(&l, 5000 * USEC_PER_SEC), LEDGER_BURST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_leaves_a_few_lines_a_second),
		cmocka_unit_test(quiet_times_earn_no_more_than_a_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
