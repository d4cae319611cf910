#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/request.h"
#include "control/router_docker.h"
#include "control/router_view.h"
#include "tests/unit/fake_engine.h"

static bool parse_list(const char *text, struct router_docker *ret)
{
	return router_docker_parse_list(text, strlen(text), ret);
}

static void containers_with_the_socket_are_found(void **state)
{
	static const struct {
		const char *mounts;
		bool has_socket;
	} rows[] = {
		{"[{\"Type\":\"bind\",\"Source\":\"/run/docker.sock\"}]", true},
		{"[{\"Type\":\"bind\",\"Source\":\"/run\"}]", true},
		{"[{\"Type\":\"bind\",\"Source\":\"/\"}]", true},
		{"[{\"Type\":\"volume\",\"Source\":\"\"},{\"Type\":\"bind\",\"Source\":\"/run/docker.sock\"}]", true},
		{"[{\"Type\":\"bind\",\"Source\":\"/run/docker.sock2\"}]", false},
		{"[{\"Type\":\"bind\",\"Source\":\"/run/docker\"}]", false},
		{"[{\"Type\":\"bind\",\"Source\":\"/ru\"}]", false},
		{"[]", false},
		{"null", false},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		_cleanup_router_docker_ struct router_docker d = {};
		char text[512];

		snprintf(text, sizeof(text), "[{\"Names\":[\"/a/b\",\"/c\"],\"State\":\"running\",\"Mounts\":%s}]",
			 rows[k].mounts);
		assert_true(parse_list(text, &d));
		assert_int_equal(d.n, 1);
		assert_string_equal(d.containers[0].name, "c");
		assert_true(d.containers[0].runs);
		assert_int_equal(d.containers[0].has_socket, rows[k].has_socket);
	}
}

static void nonsense_is_refused(void **state)
{
	static const char *const texts[] = {"", "{}", "[{}]", "[{\"Names\":[]}]", "[{\"Names\":[\"c\"]}]", "[1]"};
	_cleanup_router_docker_ struct router_docker d = {};

	(void)state;
	for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++)
		assert_false(parse_list(texts[k], &d));
	assert_false(router_docker_parse_info("[]", 2, &d));
	assert_false(router_docker_parse_info("{\"LiveRestoreEnabled\":1}", 24, &d));
	assert_true(router_docker_parse_info("{\"LiveRestoreEnabled\":true}", 27, &d));
	assert_true(d.live_restore);
}

static void containers_that_would_end_are_named(void **state)
{
	_cleanup_router_docker_ struct router_docker d = {};
	char text[8192] = "[", *end = text + 1;
	struct error err;

	(void)state;
	assert_true(parse_list("[{\"Names\":[\"/a\"],\"State\":\"exited\"}]", &d));
	assert_int_equal(router_docker_check_restart(&d, &err), 0);
	assert_true(
		parse_list("[{\"Names\":[\"/a\"],\"State\":\"exited\"},{\"Names\":[\"/web\"],\"State\":\"running\"},"
			   "{\"Names\":[\"/db\"],\"State\":\"paused\"}]",
			   &d));
	assert_int_equal(router_docker_check_restart(&d, &err), -1);
	assert_int_equal(err.code, EBUSY);
	assert_non_null(strstr(err.text, "('docker stop web db')"));
	assert_non_null(strstr(err.text, "live-restore"));
	d.live_restore = true;
	assert_int_equal(router_docker_check_restart(&d, &err), 0);
	d.live_restore = false;
	for (unsigned k = 0; k < 100; k++)
		end += sprintf(end, "%s{\"Names\":[\"/container%02u\"],\"State\":\"running\"}", k ? "," : "", k);
	strcpy(end, "]");
	assert_true(parse_list(text, &d));
	assert_int_equal(router_docker_check_restart(&d, &err), -1);
	assert_non_null(strstr(err.text, "container00 container01"));
	assert_non_null(strstr(err.text, " more)"));
	assert_non_null(strstr(err.text, "live-restore"));
}

static void docker_is_asked(void **state)
{
	FAKE_ENGINE(f, SAY("HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{\"LiveRestoreEnabled\":true}"),
		    SAY("HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n[{\"Names\":[\"/a\"],\"State\":\"running\"}]"),
		    SAY("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"));
	_cleanup_router_docker_ struct router_docker d = {};
	struct error err;

	(void)state;
	if (router_docker_ask(f.socket, &d, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(d.live_restore && d.n == 1);
	assert_non_null(strstr(f.seen->text, "GET /containers/json?all=1 "));
	router_docker_clear(&d);
	assert_int_equal(router_docker_ask(f.socket, &d, &err), -1);
	assert_int_equal(err.code, EPROTO);
	fake_stop(&f);
	assert_int_equal(router_docker_ask(f.socket, &d, &err), -1);
	assert_int_equal(err.code, ENOTCONN);
}

static void those_that_run_are_known_whatever_there_is(void **state)
{
	static char endless[1024 * 1024] = "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n[";
	FAKE_ENGINE(f, SAY("HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{\"LiveRestoreEnabled\":true}"),
		    {.reply = endless,
		     .after = CLOSE,
		     .len = sizeof(endless),
		     .repeat = LIST_REPLY_MAX / sizeof(endless) + 1},
		    SAY("HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n[{\"Names\":[\"/a\"],\"State\":\"running\"}]"));
	_cleanup_router_docker_ struct router_docker d = {};
	struct error err;

	(void)state;
	if (router_docker_ask(f.socket, &d, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(d.n, 1);
	assert_non_null(strstr(f.seen->text, "%22running%22"));
	fake_stop(&f);
}

static void a_container_is_allowed_by_its_name_or_its_identifier(void **state)
{
	const struct router_container c = {.name = "tr", .id = "ae55c7b681db0123456789"};

	(void)state;
	assert_true(router_view_allows("all", &c));
	assert_true(router_view_allows("web, tr", &c));
	assert_true(router_view_allows("ae55c7b681db", &c));
	assert_true(router_view_allows("web, ae55c7b681db0123", &c));
	assert_false(router_view_allows("", &c));
	assert_false(router_view_allows("t, trx", &c));
	assert_false(router_view_allows("ae55c7b681d", &c)); /* eleven digits are none */
	assert_false(router_view_allows("be55c7b681db", &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(containers_with_the_socket_are_found),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(containers_that_would_end_are_named),
		cmocka_unit_test(docker_is_asked),
		cmocka_unit_test(those_that_run_are_known_whatever_there_is),
		cmocka_unit_test(a_container_is_allowed_by_its_name_or_its_identifier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
