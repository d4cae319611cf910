#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cidr.h"

static bool contains(const char *range, int family, const char *address)
{
	struct sockaddr_in a4 = {.sin_family = AF_INET};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6};
	struct error err;
	struct cidr c;

	assert_int_equal(cidr_parse(range, &c, &err), 0);
	if (family == AF_INET) {
		assert_int_equal(inet_pton(AF_INET, address, &a4.sin_addr), 1);
		return cidr_contains(&c, (struct sockaddr *)&a4);
	}
	assert_int_equal(inet_pton(AF_INET6, address, &a6.sin6_addr), 1);
	return cidr_contains(&c, (struct sockaddr *)&a6);
}

static void ranges_contain_what_they_say(void **state)
{
	static const char *const bad[] = {"",
					  "/",
					  "10.0.0.0/33",
					  "10.0.0.1/8",
					  "10.0.0.0/-1",
					  "10.0.0.0/8/8",
					  "::/129",
					  "2001:db8::1/32",
					  "10.0.0",
					  "10.0.0.0/",
					  "example.org",
					  "10.0.0.0/8 ",
					  "::ffff:10.0.0.0/8"};
	struct sockaddr unix_address = {.sa_family = AF_UNIX};
	struct error err;
	struct cidr c;

	(void)state;
	assert_true(contains("10.0.0.0/8", AF_INET, "10.255.0.1"));
	assert_false(contains("10.0.0.0/8", AF_INET, "11.0.0.1"));
	assert_true(contains("192.0.2.7", AF_INET, "192.0.2.7"));
	assert_false(contains("192.0.2.7", AF_INET, "192.0.2.6"));
	assert_true(contains("192.0.2.4/30", AF_INET, "192.0.2.7"));
	assert_false(contains("192.0.2.4/30", AF_INET, "192.0.2.8"));
	assert_true(contains("0.0.0.0/0", AF_INET, "8.8.8.8"));
	assert_false(contains("0.0.0.0/0", AF_INET6, "2001:db8::1"));
	assert_true(contains("10.0.0.0/8", AF_INET6, "::ffff:10.1.2.3")); /* on a socket for both families */
	assert_true(contains("2001:db8::/32", AF_INET6, "2001:db8:ffff::1"));
	assert_false(contains("2001:db8::/32", AF_INET6, "2001:db9::1"));
	assert_true(contains("::/0", AF_INET6, "fe80::1"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (cidr_parse(bad[i], &c, &err) == 0)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(cidr_parse("::/0", &c, &err), 0);
	assert_false(cidr_contains(&c, &unix_address));
}

static bool covers(const char *outer, const char *inner)
{
	struct cidr a, b;
	struct error err;

	assert_int_equal(cidr_parse(outer, &a, &err), 0);
	assert_int_equal(cidr_parse(inner, &b, &err), 0);
	return cidr_covers(&a, &b);
}

static void ranges_cover_others(void **state)
{
	(void)state;
	assert_true(covers("10.0.0.0/8", "10.1.0.0/16"));
	assert_true(covers("10.0.0.0/8", "10.0.0.0/8"));
	assert_true(covers("10.0.0.0/8", "10.2.3.4"));
	assert_true(covers("::/0", "2001:db8::/32"));
	assert_false(covers("10.1.0.0/16", "10.0.0.0/8"));
	assert_false(covers("10.0.0.0/8", "11.0.0.0/16"));
	assert_false(covers("0.0.0.0/0", "2001:db8::/32"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_contain_what_they_say),
		cmocka_unit_test(ranges_cover_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
