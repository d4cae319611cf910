/* instance/publish.h: the grammar, its canonical spelling, and which socket is meant. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "instance/publish.h"

static void round_trip(void **state)
{
	static const struct {
		const char *text, *canonical;
	} good[] = {
		{"5432:5432", "5432:5432"},
		{"8080:80/tcp", "8080:80"},
		{"53:53/udp", "53:53/udp"},
		{"127.0.0.1:5432:5433", "127.0.0.1:5432:5433"},
		{"[::1]:5432:5433", "[::1]:5432:5433"},
		{"[0:0:0:0:0:0:0:1]:1:2/udp", "[::1]:1:2/udp"},
		{"/run/x.sock:5432", "/run/x.sock:5432"},
		{"/run/a:b.sock:5432", "/run/a:b.sock:5432"},
		{"/run/x.sock:0/seqpacket", "/run/x.sock:0/seqpacket"},
	};
	char text[PUBLISH_TEXT_MAX];
	struct publish p, q;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(publish_parse(good[i].text, &p, &err), 0);
		publish_format(&p, text);
		assert_string_equal(text, good[i].canonical);
		assert_int_equal(publish_parse(text, &q, &err), 0);
		assert_memory_equal(&p, &q, sizeof(p));
	}
}

static void rejected(void **state)
{
	static const char *const bad[] = {
		"",
		"80",
		":80",
		"80:",
		"0:80",
		"65536:80",
		"80:65536",
		"80:80/sctp",
		"80:80/tcp/udp",
		"80:80/seqpacket",
		"1.2.3:80:80",
		"::1:80:80",
		"[::1:80:80",
		"[127.0.0.1]:1:1",
		"localhost:80:80",
		"x.sock:80",
		"/run/../x:80",
		"/run/x:80/udp",
		"80:80\n",
		"[fe80::1%eth0]:80:80",
		"1.2.3.4::80",
		"/:x",
		"80 :80",
		"80: 80",
	};
	struct publish p;
	struct error err;
	char path[140];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (publish_parse(bad[i], &p, &err) == 0)
			fail_msg("'%s' was accepted", bad[i]);
	}
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	memcpy(path + 120, ":80", 4);
	assert_int_equal(publish_parse(path, &p, &err), -1);
}

static void matching(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
	struct publish any, one, path;
	struct error err;

	(void)state;
	assert_int_equal(publish_parse("80:1", &any, &err), 0);
	assert_int_equal(publish_parse("127.0.0.1:80:1", &one, &err), 0);
	assert_int_equal(publish_parse("/run/x:1", &path, &err), 0);
	assert_true(publish_matches(&any, SOCK_STREAM, (struct sockaddr *)&in, sizeof(in)));
	assert_true(publish_matches(&any, SOCK_STREAM, (struct sockaddr *)&in6, sizeof(in6)));
	assert_false(publish_matches(&any, SOCK_DGRAM, (struct sockaddr *)&in, sizeof(in)));
	assert_false(publish_matches(&one, SOCK_STREAM, (struct sockaddr *)&in, sizeof(in)));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(publish_matches(&one, SOCK_STREAM, (struct sockaddr *)&in, sizeof(in)));
	assert_false(publish_matches(&any, SOCK_STREAM, (struct sockaddr *)&in, sizeof(in)));
	assert_true(publish_matches(&path, SOCK_STREAM, (struct sockaddr *)&un, sizeof(un)));
	assert_false(publish_matches(&path, SOCK_STREAM, (struct sockaddr *)&un,
				     offsetof(struct sockaddr_un, sun_path) + 5));
	assert_false(publish_matches(&any, SOCK_STREAM, (struct sockaddr *)&un, sizeof(un)));
	assert_false(publish_matches(&path, SOCK_STREAM, (struct sockaddr *)&in, sizeof(in)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(rejected),
		cmocka_unit_test(matching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
