#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "router/records.h"

static struct records records;
static struct member a, b;

static int set_up(void **state)
{
	struct error err;

	(void)state;
	a.connections = b.connections = 0;
	return records_open(&records, 3, &err);
}

static int tear_down(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < records.used; i++) {
		if (records.all[i].member)
			records_remove(&records, &records.all[i]);
	}
	assert_null(records.tallies);
	records_close(&records);
	return 0;
}

static struct record *add(uid_t uid, struct member *m)
{
	static struct peer p;

	p.uid = uid;
	return records_add(&records, &p, m);
}

static void a_number_belongs_to_one_worker(void **state)
{
	struct record *first = add(1, &a), *second = add(2, &b);

	(void)state;
	assert_ptr_equal(records_find(&records, record_number(&records, first), &a), first);
	assert_null(records_find(&records, record_number(&records, first), &b));
	assert_ptr_equal(records_find(&records, record_number(&records, second), &b), second);
	assert_null(records_find(&records, 2, &a));
	assert_null(records_find(&records, UINT32_MAX, &a));
}

static void there_is_a_limit_and_numbers_are_used_again(void **state)
{
	struct record *r[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		r[i] = add(1, &a);
	assert_non_null(r[2]);
	assert_null(add(1, &a));
	assert_int_equal(records_of_account(&records, 1), 3);
	records_remove(&records, r[1]);
	assert_int_equal(records.n, 2);
	assert_null(records_find(&records, 1, &a));
	assert_ptr_equal(add(2, &b), r[1]);
	assert_null(add(2, &b));
}

static void each_user_is_counted(void **state)
{
	struct record *r = add(1, &a);

	(void)state;
	(void)add(1, &a);
	(void)add(2, &b);
	assert_int_equal(records_of_account(&records, 1), 2);
	assert_int_equal(records_of_account(&records, 2), 1);
	assert_int_equal(records_of_account(&records, 3), 0);
	assert_int_equal(a.connections, 2);
	records_remove(&records, r);
	assert_int_equal(records_of_account(&records, 1), 1);
	assert_int_equal(a.connections, 1);
}

/* So they take nothing from anybody else. */
static void who_is_refused_does_not_count(void **state)
{
	struct record *r;

	(void)state;
	a.kind = MEMBER_REFUSING;
	r = add(1, &a);
	assert_non_null(r);
	assert_int_equal(records.n, 0);
	assert_int_equal(records_of_account(&records, 1), 0);
	assert_int_equal(a.connections, 1);
	records_remove(&records, r);
	assert_int_equal(a.connections, 0);
	a.kind = MEMBER_IDENTITY;
}

static void a_container_is_no_user_of_the_host(void **state)
{
	struct peer p = {.uid = 1, .place = {.kind = PLACE_CONTAINER, .container = "0123"}};

	(void)state;
	assert_non_null(records_add(&records, &p, &a));
	assert_int_equal(records_of_account(&records, 1), 0);
	assert_int_equal(records_of_account(&records, peer_account(&p)), 1);
}

static void the_records_of_a_worker_are_found(void **state)
{
	struct record *r;

	(void)state;
	assert_null(records_of(&records, &a));
	(void)add(2, &b);
	r = add(1, &a);
	assert_ptr_equal(records_of(&records, &a), r);
	records_remove(&records, r);
	assert_null(records_of(&records, &a));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_number_belongs_to_one_worker),
		CASE(there_is_a_limit_and_numbers_are_used_again),
		CASE(each_user_is_counted),
		CASE(who_is_refused_does_not_count),
		CASE(a_container_is_no_user_of_the_host),
		CASE(the_records_of_a_worker_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
