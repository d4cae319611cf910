/* dial/proxy_protocol.h against the examples and tables of the specification. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "dial/proxy_protocol.h"

static struct sockaddr_storage address(const char *text, uint16_t port)
{
	struct sockaddr_storage r = {0};
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)&r;
	struct sockaddr_in *a4 = (struct sockaddr_in *)&r;

	if (inet_pton(AF_INET, text, &a4->sin_addr) == 1) {
		a4->sin_family = AF_INET;
		a4->sin_port = htons(port);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &a6->sin6_addr), 1);
		a6->sin6_family = AF_INET6;
		a6->sin6_port = htons(port);
	}
	return r;
}

static void expect(enum proxy_protocol version, const char *from, const char *to, const char *expected, size_t len)
{
	struct sockaddr_storage source = address(from, 56324), destination = address(to, 443);
	char header[PROXY_PROTOCOL_MAX];

	assert_int_equal(
		proxy_protocol_format(version, (struct sockaddr *)&source, (struct sockaddr *)&destination, header),
		len);
	assert_memory_equal(header, expected, len);
}

#define EXPECT(version, from, to, text) expect(version, from, to, text, sizeof(text) - 1)
#define V2				"\r\n\r\n\0\r\nQUIT\n"

static void text(void **state)
{
	(void)state;
	EXPECT(PROXY_PROTOCOL_V1, "192.0.2.1", "198.51.100.7", "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n");
	EXPECT(PROXY_PROTOCOL_V1, "2001:db8::1", "2001:db8::2", "PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n");
	EXPECT(PROXY_PROTOCOL_V1, "::ffff:192.0.2.1", "::ffff:198.51.100.7",
	       "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n");
	/* the longest */
	EXPECT(PROXY_PROTOCOL_V1, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	       "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 56324 "
	       "443\r\n");
}

static void binary(void **state)
{
	(void)state;
	EXPECT(PROXY_PROTOCOL_V2, "192.0.2.1", "198.51.100.7",
	       V2 "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb");
	EXPECT(PROXY_PROTOCOL_V2, "::ffff:192.0.2.1", "::ffff:198.51.100.7",
	       V2 "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb");
	EXPECT(PROXY_PROTOCOL_V2, "2001:db8::1", "2001:db8::2",
	       V2 "\x21\x21\x00\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
		  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xdc\x04\x01\xbb");
}

static void unix_clients(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char header[PROXY_PROTOCOL_MAX];
	size_t n;

	(void)state;
	n = proxy_protocol_format(PROXY_PROTOCOL_V1, (struct sockaddr *)&a, (struct sockaddr *)&a, header);
	assert_int_equal(n, 15);
	assert_memory_equal(header, "PROXY UNKNOWN\r\n", n);
	n = proxy_protocol_format(PROXY_PROTOCOL_V2, (struct sockaddr *)&a, (struct sockaddr *)&a, header);
	assert_int_equal(n, 16);
	assert_memory_equal(header, V2 "\x20\x00\x00\x00", n);
}

static void versions(void **state)
{
	enum proxy_protocol version;
	struct error err;

	(void)state;
	assert_int_equal(proxy_protocol_parse("v1", &version, &err), 0);
	assert_int_equal(version, PROXY_PROTOCOL_V1);
	assert_int_equal(proxy_protocol_parse("v2", &version, &err), 0);
	assert_int_equal(version, PROXY_PROTOCOL_V2);
	assert_int_equal(proxy_protocol_parse("v3", &version, &err), -1);
	assert_non_null(strstr(err.text, "'v3'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text),
		cmocka_unit_test(binary),
		cmocka_unit_test(unix_clients),
		cmocka_unit_test(versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
