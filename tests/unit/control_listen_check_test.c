/* control/listen_check.c: an address that no interface has. */
#include "tests/unit/instance_fixture.h"

#include "control/listen_check.h"

static const char *absent(const char *spec)
{
	static char text[256];
	bool found;
	struct instance i = {};

	add_port(&i, "8080:80");
	add_port(&i, spec);
	text[0] = '\0';
	found = listen_check_describe_absent(&i, text, sizeof(text));
	assert_int_equal(found, text[0] != '\0');
	return text;
}

static void addresses(void **state)
{
	(void)state;
	assert_string_equal(
		absent("192.0.2.55:8081:80"),
		"no interface has the address 192.0.2.55 now: clients reach port 8081 there as soon as one has "
		"it ('ip address' lists those there are)");
	assert_string_equal(absent("127.0.0.5:1:80"), ""); /* all of 127.0.0.0/8 is local */
	assert_string_equal(absent("0.0.0.0:8081:80"), "");
	assert_string_equal(absent("127.0.0.1:53:53/udp"), "");
	assert_string_equal(absent("/run/x:80"), "");
	assert_string_not_equal(absent("[2001:db8::55]:8081:80"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(addresses)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
