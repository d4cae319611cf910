/* router/pace.c: how many connections each may begin in a moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "router/pace.h"

static const struct ucred alice = {.uid = 1000, .pid = 7}, alice_again = {.uid = 1000, .pid = 8}, bob = {.uid = 1001};
static struct pace p;

#define START 7000000

static int set_up(void **state)
{
	(void)state;
	p = (struct pace){};
	return 0;
}

static unsigned allowed(const struct ucred *peer, uint64_t now)
{
	unsigned n = 0;

	while (n < 2 * PACE_LIMIT && pace_allows(&p, peer, now))
		n++;
	return n;
}

static void each_has_a_limit(void **state)
{
	(void)state;
	assert_int_equal(allowed(&alice, START), PACE_LIMIT);
	assert_int_equal(allowed(&alice_again, START), 0);
	assert_int_equal(allowed(&bob, START), PACE_LIMIT);
	assert_int_equal(allowed(&alice, START + PACE_PERIOD_USEC - 1), 0);
	assert_int_equal(allowed(&alice, START + PACE_PERIOD_USEC), PACE_LIMIT);
	assert_int_equal(allowed(&bob, START + PACE_PERIOD_USEC), PACE_LIMIT);
}

static void who_is_refused_has_less(void **state)
{
	unsigned n = 0;

	(void)state;
	while (pace_allows(&p, &alice, START)) {
		pace_refused(&p, &alice);
		n++;
	}
	assert_int_equal(n, PACE_LIMIT / PACE_REFUSED);
	assert_int_equal(allowed(&bob, START), PACE_LIMIT);
}

static void processes_of_root_count_for_themselves(void **state)
{
	const struct ucred one = {.pid = 1000}, other = {.pid = 1001};

	(void)state;
	assert_int_equal(allowed(&one, START), PACE_LIMIT);
	assert_int_equal(allowed(&other, START), PACE_LIMIT);
	assert_int_equal(allowed(&alice, START), PACE_LIMIT);
	assert_int_equal(allowed(&one, START), 0);
}

/* More of them than can be counted are one. */
static void many_at_once(void **state)
{
	struct ucred peer = {.uid = 2000};

	(void)state;
	for (unsigned k = 0; k < PACE_ACCOUNTS; k++, peer.uid++)
		assert_true(pace_allows(&p, &peer, START));
	assert_int_equal(p.users.n, PACE_ACCOUNTS);
	assert_int_equal(allowed(&peer, START), PACE_LIMIT - 1);
	assert_int_equal(allowed(&bob, START), 0);
	peer.uid = 2000;
	assert_int_equal(allowed(&peer, START), PACE_LIMIT - 1);
}

/* Whoever has them can be many at once. */
static void subordinate_users_are_one(void **state)
{
	struct ucred peer = {.uid = 100000, .pid = 9};
	const struct ucred root = {.pid = 1000};

	(void)state;
	p.subordinates.ranges = calloc(1, sizeof(*p.subordinates.ranges));
	assert_non_null(p.subordinates.ranges);
	p.subordinates.ranges[p.subordinates.n++].first = 100000;
	p.subordinates.ranges[0].last = 165535;
	for (unsigned k = 0; k < 2 * PACE_LIMIT; k++, peer.uid++)
		assert_int_equal(pace_allows(&p, &peer, START), k < PACE_LIMIT);
	assert_int_equal(p.users.n, 1);
	assert_int_equal(allowed(&alice, START), PACE_LIMIT);
	assert_int_equal(allowed(&root, START), PACE_LIMIT);
	subordinates_clear(&p.subordinates);
}

/* Processes of root fill no user's account, nor the other way round. */
static void processes_of_root_take_no_users_account(void **state)
{
	struct ucred peer = {};

	(void)state;
	for (peer.pid = 1; peer.pid < 5 * PACE_ACCOUNTS; peer.pid++)
		(void)allowed(&peer, START);
	assert_int_equal(allowed(&alice, START), PACE_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_has_a_limit, set_up),
		cmocka_unit_test_setup(who_is_refused_has_less, set_up),
		cmocka_unit_test_setup(processes_of_root_count_for_themselves, set_up),
		cmocka_unit_test_setup(many_at_once, set_up),
		cmocka_unit_test_setup(subordinate_users_are_one, set_up),
		cmocka_unit_test_setup(processes_of_root_take_no_users_account, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
