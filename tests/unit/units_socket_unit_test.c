/* units/socket_unit.c: whose socket a port is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/manager_fixture.h"
#include "units/listen_addresses.h"
#include "units/socket_unit.h"

static const char *at(int type, uint16_t port)
{
	static char unit[UNIT_NAME_MAX];

	return socket_unit_find(m, type, port, unit) ? unit : "";
}

static void whose_port_it_is(void **state)
{
	(void)state;
	assert_string_equal(at(SOCK_STREAM, 80), "");
	fake_set(&fake, FAKE_MANAGER, "Units", "cups.socket dbus.socket web.socket");
	fake_set(&fake, "cups.socket", "Listen", "Stream /run/cups.sock:80 Stream 127.0.0.1:631");
	fake_set(&fake, "dbus.socket", "Listen", "Stream @x:80 FIFO /run/f");
	fake_set(&fake, "web.socket", "Listen", "Stream [::]:8080 Datagram 0.0.0.0:53");
	assert_string_equal(at(SOCK_STREAM, 631), "cups.socket");
	assert_string_equal(at(SOCK_STREAM, 8080), "web.socket");
	assert_string_equal(at(SOCK_DGRAM, 53), "web.socket");
	assert_string_equal(at(SOCK_STREAM, 53), "");
	assert_string_equal(at(SOCK_DGRAM, 8080), "");
	assert_string_equal(at(SOCK_STREAM, 80), "");
	fake_on(&fake, (struct fake_event){"ListUnitsByPatterns", .what = FAIL, .value = "a.b"});
	assert_string_equal(at(SOCK_STREAM, 631), "");
}

static void add(void *data, const char *kind, const char *address)
{
	char *text = data;

	sprintf(text + strlen(text), "%s=%s ", kind, address);
}

static void where_one_listens(void **state)
{
	static const char object[] = "/org/freedesktop/systemd1/unit/web_2esocket";
	char text[128] = "";
	struct error err;

	(void)state;
	fake_set(&fake, "web.socket", "Listen", "Stream [::]:8080 Datagram 0.0.0.0:53");
	assert_int_equal(listen_addresses_each(m, object, add, text, &err), 0);
	assert_string_equal(text, "Stream=[::]:8080 Datagram=0.0.0.0:53 ");
	fake_on(&fake, (struct fake_event){"Get web.socket Listen", .what = GARBLE});
	assert_int_equal(listen_addresses_each(m, object, add, text, &err), -1);
	fake_on(&fake, (struct fake_event){"Get web.socket Listen", .what = FAIL, .value = "a.b"});
	assert_int_equal(listen_addresses_each(m, object, add, text, &err), -1);
	assert_non_null(strstr(err.text, "cannot ask the service manager where a socket listens"));
	assert_string_equal(text, "Stream=[::]:8080 Datagram=0.0.0.0:53 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whose_port_it_is, manager_setup, manager_teardown),
		cmocka_unit_test_setup_teardown(where_one_listens, manager_setup, manager_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
