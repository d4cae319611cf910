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

static void ranges(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *first, *last;
	} good[] = {
		{"80", 1, "80:80", "80:80"},
		{"53/udp", 1, "53:53/udp", "53:53/udp"},
		{"80:8080", 1, "80:8080", "80:8080"},
		{"80:0", 1, "80:0", "80:0"}, /* with a Unix socket as target */
		{"2456-2458", 3, "2456:2456", "2458:2458"},
		{"2456-2458:2456-2458/udp", 3, "2456:2456/udp", "2458:2458/udp"},
		{"127.0.0.1:8000-8001:80-81", 2, "127.0.0.1:8000:80", "127.0.0.1:8001:81"},
		{"[::1]:8000-8001:80-81/tcp", 2, "[::1]:8000:80", "[::1]:8001:81"},
		{"5-5:6-6", 1, "5:6", "5:6"},
		{"1-4", 4, "1:1", "4:4"},
		{"65534-65535", 2, "65534:65534", "65535:65535"},
		{"/run/a-b.sock:80", 1, "/run/a-b.sock:80", "/run/a-b.sock:80"},
	};
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "''"},
		{"-", "'-'"},
		{"80-", "80-"},
		{"-80", "-80"},
		{"0-1", "'0'"},
		{"8-7", "ends before it begins"},
		{"8-9:1-3", "same length"},
		{"8-9:1", "same length"},
		{"8:1-2", "same length"},
		{"1-5", "more than the 4 ports"},
		{"65535-65536", "65536"},
		{"80/sctp", "SCTP"},
		{"80:80/sctp", "SCTP"},
		{"1-2:3-4/tcp/udp", "not of the form"},
		{"1-2/seqpacket", "only a path"},
		{"localhost:1-2:3-4", "localhost"},
		{"127.0.0.1:8000-8001", "not of the form"},
		{"[::1]:8000-8001", "not of the form"},
		{"a-b.sock:80", "a"},
	};
	struct publish p[4];
	struct error err;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		char text[PUBLISH_TEXT_MAX];

		if (publish_parse_range(good[i].text, p, 4, &n, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(n, good[i].n);
		publish_format(&p[0], text);
		assert_string_equal(text, good[i].first);
		publish_format(&p[n - 1], text);
		assert_string_equal(text, good[i].last);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (publish_parse_range(bad[i].text, p, 4, &n, &err) == 0)
			fail_msg("'%s' was accepted", bad[i].text);
		if (!strstr(err.text, bad[i].says))
			fail_msg("'%s' does not say '%s'", err.text, bad[i].says);
	}
	assert_int_equal(publish_parse_range("80", p, 0, &n, &err), -1);
	assert_int_equal(publish_parse_range("80", p, 1, &n, &err), 0);
	assert_int_equal(publish_parse_range("80-81", p, 1, &n, &err), -1);
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

/* A person sees what is wrong, and in which word. */
static void what_is_wrong(void **state)
{
	static const struct {
		const char *spec, *text;
	} cases[] = {
		{":80", "':80' is not of the form"},
		{"80", "'80' is not of the form"},
		{"80:80\n", "is not of the form"},
		{"80:65536", "'80:65536': the container port"},
		{"65536:80", "'65536:80': the listening port"},
		{"80:80/sctp", "'80:80/sctp': SCTP cannot be relayed"},
		{"/run/x:80/udp", "'/run/x:80/udp': a path listens on a stream or seqpacket socket, not on udp"},
		{"80:80/seqpacket", "'80:80/seqpacket': only a path can listen on a seqpacket socket"},
		{"/run/../x:80", "the path '/run/../x' is not an absolute path of at most 107 bytes"},
		{"1.2.3:80:80", "the address '1.2.3' in '1.2.3:80:80' is neither an IPv4 address nor"},
		{"[::g]:80:80", "the address '[::g]' in '[::g]:80:80' is neither"},
		{"[127.0.0.1]:1:1", "the address '[127.0.0.1]' in"},
		{"[::1x:1:1", "the address '[::1x' in"},
		{"::1]:1:1", "the address '::1]' in"},
		{"[::1]:80", "'[::1]:80' is not of the form"},
		{"1.2.3.4:80", "'1.2.3.4:80' is not of the form"},
		{"1.2.3.4::80", "'1.2.3.4::80' is not of the form"},
	};
	struct publish p;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(publish_parse(cases[i].spec, &p, &err), -1);
		if (!strstr(err.text, cases[i].text))
			fail_msg("'%s' does not say '%s'", err.text, cases[i].text);
	}
}

static void lengths(void **state)
{
	struct publish p;
	struct error err;
	char path[300];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	strcpy(path + sizeof(p.path) - 1, ":80");
	assert_int_equal(publish_parse(path, &p, &err), 0);
	assert_int_equal(strlen(p.path), sizeof(p.path) - 1);
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	strcpy(path + sizeof(p.path), ":80");
	assert_int_equal(publish_parse(path, &p, &err), -1);
	assert_non_null(strstr(err.text, "is not an absolute path"));
	/* the longest that is read at all */
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	strcpy(path + 252, ":80");
	assert_int_equal(publish_parse(path, &p, &err), -1);
	assert_non_null(strstr(err.text, "is not an absolute path"));
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	strcpy(path + 253, ":80");
	assert_int_equal(publish_parse(path, &p, &err), -1);
	assert_non_null(strstr(err.text, "is not of the form"));
}

/* A family, a port, an address or a path that is not meant. */
static void not_matching(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct publish any, one, six, path;
	struct error err;

	(void)state;
	assert_int_equal(publish_parse("80:1", &any, &err), 0);
	assert_int_equal(publish_parse("127.0.0.1:80:1", &one, &err), 0);
	assert_int_equal(publish_parse("[::1]:80:1", &six, &err), 0);
	assert_int_equal(publish_parse("/run/x:1", &path, &err), 0);
	assert_false(publish_matches(&six, SOCK_STREAM, (struct sockaddr *)&in, sizeof(in)));
	assert_false(publish_matches(&one, SOCK_STREAM, (struct sockaddr *)&in6, sizeof(in6)));
	assert_false(publish_matches(&six, SOCK_STREAM, (struct sockaddr *)&in6, sizeof(in6)));
	in6.sin6_addr = in6addr_loopback;
	assert_true(publish_matches(&six, SOCK_STREAM, (struct sockaddr *)&in6, sizeof(in6)));
	assert_false(publish_matches(&any, SOCK_STREAM, (struct sockaddr *)&in6, sizeof(in6)));
	in6.sin6_port = htons(81);
	assert_false(publish_matches(&six, SOCK_STREAM, (struct sockaddr *)&in6, sizeof(in6)));
	in.sin_port = htons(81);
	assert_false(publish_matches(&any, SOCK_STREAM, (struct sockaddr *)&in, sizeof(in)));
	/* a path has no port */
	in.sin_port = in6.sin6_port = 0;
	in6.sin6_addr = in6addr_any;
	assert_false(publish_matches(&path, SOCK_STREAM, (struct sockaddr *)&in, sizeof(in)));
	assert_false(publish_matches(&path, SOCK_STREAM, (struct sockaddr *)&in6, sizeof(in6)));
	/* and a port no path */
	un.sun_path[0] = '\0';
	assert_false(publish_matches(&any, SOCK_STREAM, (struct sockaddr *)&un, sizeof(un)));
	assert_false(publish_matches(&path, SOCK_STREAM, (struct sockaddr *)&un, sizeof(un)));
	strcpy(un.sun_path, "/run/y");
	assert_false(publish_matches(&path, SOCK_STREAM, (struct sockaddr *)&un, sizeof(un)));
	strcpy(un.sun_path, "/run/xy");
	assert_false(publish_matches(&path, SOCK_STREAM, (struct sockaddr *)&un, sizeof(un)));
	strcpy(un.sun_path, "/run/x");
	assert_true(publish_matches(&path, SOCK_STREAM, (struct sockaddr *)&un,
				    offsetof(struct sockaddr_un, sun_path) + 6));
	assert_false(
		publish_matches(&path, SOCK_STREAM, (struct sockaddr *)&un, offsetof(struct sockaddr_un, sun_path)));
	assert_false(publish_matches(&any, SOCK_STREAM, &none, sizeof(none)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),	cmocka_unit_test(ranges),	 cmocka_unit_test(rejected),
		cmocka_unit_test(matching),	cmocka_unit_test(what_is_wrong), cmocka_unit_test(lengths),
		cmocka_unit_test(not_matching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
