/* cli/text.c and holder.c: what people read. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/text.h"
#include "common/clock.h"
#include "common/parse.h"
#include "common/wrap.h"
#include "control/create_check.h"
#include "control/create_request.h"
#include "control/port_owner.h"

static void spans(void **state)
{
	static const struct {
		uint64_t usec;
		const char *text;
	} known[] = {
		{0, "0.0 ms"},
		{12345, "12.3 ms"},
		{USEC_PER_SEC, "1s"},
		{200 * USEC_PER_SEC, "3min 20s"},
		{3600 * USEC_PER_SEC, "1h"},
		{7500 * USEC_PER_SEC, "2h 5min"},
		{86400 * 3 * USEC_PER_SEC + 59 * USEC_PER_SEC, "3d"},
		{UINT64_MAX, "213503982d 8h"},
	};
	char text[TEXT_MAX];

	(void)state;
	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
		assert_string_equal(text_span(known[k].usec, text), known[k].text);
	assert_string_equal(text_since(0, text), "-");
	assert_string_equal(text_since(UINT64_MAX, text), "0s");
}

static void points_of_time(void **state)
{
	uint64_t now = wall_usec(), tomorrow = now + 86399 * USEC_PER_SEC;
	time_t seconds = (time_t)(tomorrow / USEC_PER_SEC);
	char text[TEXT_MAX], expected[TEXT_MAX];
	struct tm t;

	(void)state;
	localtime_r(&seconds, &t);
	strftime(expected, sizeof(expected), "%F %T (23h 59min left)", &t);
	assert_string_equal(text_until(tomorrow, text), expected);
	assert_string_equal(text_until(now, text) + strlen("HH:MM:SS"), " (0.0 ms left)");
	assert_non_null(strstr(text_until(now + 3605 * USEC_PER_SEC, text), " (1h left)"));
}

static void sizes(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	assert_string_equal(text_bytes(0, text), "0 B");
	assert_string_equal(text_bytes(999, text), "999 B");
	assert_string_equal(text_bytes(1500, text), "1.5 kB");
	assert_string_equal(text_bytes(999999, text), "1.0 MB");
	assert_string_equal(text_bytes(UINT64_MAX, text), "18.4 EB");
}

static void outside_text(void **state)
{
	static const struct {
		const char *dirty, *clean;
	} known[] = {
		{"", ""},
		{"Ünïcode 🐙", "Ünïcode 🐙"},
		{"two\nlines\t\x1b[31m\x7f", "two?lines??[31m?"},
		{"\xff"
		 "a\xc3",
		 "?a?"},
		{"\xe2\x80\xa8\xc2\x9b", "?????"}, /* line separator; control sequence introducer */
	};
	char text[TEXT_MAX];

	(void)state;
	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
		strcpy(text, known[k].dirty);
		text_make_printable(text);
		assert_string_equal(text, known[k].clean);
	}
}

static void streams(void **state)
{
	static const char dirty[] = "a\tb\r\n\x1b[2J\x1b]0;x\x07\xc2\x9b"
				    "31m Ü🐙\r50%\r\n\0\x7f\xff\xe2\x82x\xc3",
			  clean[] = "a\tb\n?[2J?]0;x???31m Ü🐙?50%\n?????x?";

	(void)state;
	for (size_t piece = 1; piece < sizeof(dirty); piece++) { /* wherever it is cut */
		struct text_filter filter = {};
		char *text = NULL;
		size_t len;
		FILE *f = open_memstream(&text, &len);

		for (size_t k = 0; k < sizeof(dirty) - 1; k += piece) {
			size_t left = sizeof(dirty) - 1 - k;

			assert_true(text_filter(&filter, f, dirty + k, left < piece ? left : piece));
		}
		assert_true(text_filter_end(&filter, f));
		fclose(f);
		assert_string_equal(text, clean);
		free(text);
	}
}

static void brief_spans(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	assert_string_equal(text_span_briefly(0, text), "0s");
	assert_string_equal(text_span_briefly(59999 * USEC_PER_MSEC, text), "59s");
	assert_string_equal(text_span_briefly(3599 * USEC_PER_SEC, text), "59min");
	assert_string_equal(text_span_briefly(90000 * USEC_PER_SEC, text), "1d");
}

static void clocks(void **state)
{
	const uint64_t noon = 1000036800 * USEC_PER_SEC, day = 86400 * USEC_PER_SEC; /* 2001-09-09, a Sunday */
	char text[TEXT_MAX];

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(text_clock(noon + 3600 * USEC_PER_SEC, noon, text), "13:00");
	assert_string_equal(text_clock(noon + day, noon, text), "Mon 12:00");
	assert_string_equal(text_clock(noon + 8 * day, noon, text), "2001-09-17");
	assert_string_equal(text_clock(noon - day, noon, text), "2001-09-08");
	unsetenv("TZ");
	tzset();
}

static void wrapped(const char *text, size_t indent, size_t width, const char *expected)
{
	char *written = NULL;
	size_t len;
	FILE *f = open_memstream(&written, &len);

	wrap_text(f, text, indent, width);
	fclose(f);
	assert_string_equal(written, expected);
	free(written);
}

static void lines(void **state)
{
	(void)state;
	wrapped("", 2, 10, "\n");
	wrapped("one two three", 0, 0, "one two three\n");
	wrapped("one two three", 0, 7, "one two\nthree\n");
	wrapped("one two three", 0, 6, "one\ntwo\nthree\n");
	wrapped("one two three", 4, 11, "one two\n    three\n");
	wrapped("one éé three", 0, 6, "one éé\nthree\n");
	wrapped("unbreakable", 4, 8, "unbreakable\n");
	wrapped("run 'a b c' now", 0, 8, "run\n'a b c'\nnow\n");
	wrapped("the container's name isn't it", 0, 20, "the container's name\nisn't it\n");
	wrapped("it took 1.1 ms, or 2 s", 0, 12, "it took\n1.1 ms, or\n2 s\n");
	wrapped("the 2 sets, 1 Bus", 0, 7, "the 2\nsets, 1\nBus\n");
	wrapped("an 'open end", 0, 8, "an 'open\nend\n");
}

static uint16_t bound_port(int fd, int family)
{
	struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
	socklen_t len = sizeof(address);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(struct sockaddr_in6)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
				       : ((struct sockaddr_in6 *)&address)->sin6_port);
}

static void holders(void **state)
{
	static const struct {
		int family, type;
	} kinds[] = {{AF_INET, SOCK_STREAM}, {AF_INET6, SOCK_STREAM}, {AF_INET, SOCK_DGRAM}, {AF_INET6, SOCK_DGRAM}};
	char expected[64], holder[256];

	(void)state;
	snprintf(expected, sizeof(expected), "(PID %d)", getpid());
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		int fd = socket(kinds[k].family, kinds[k].type | SOCK_CLOEXEC, 0);
		uint16_t port = bound_port(fd, kinds[k].family);

		if (kinds[k].type == SOCK_STREAM)
			assert_int_equal(listen(fd, 1), 0);
		port_owner_describe(kinds[k].type, port, holder, sizeof(holder));
		if (!strstr(holder, expected))
			fail_msg("'%s' does not name us", holder);
		close(fd);
		port_owner_describe(kinds[k].type, port, holder, sizeof(holder));
		assert_null(strstr(holder, expected));
	}
}

static void ports_in_use(void **state)
{
	struct instance i = {.name = (char *)"pg", .n_ports = 1};
	struct stored other = {.instance = {.name = (char *)"db", .n_ports = 1}};
	const struct stored_list nobody = {}, all = {&other, 1};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct error err = {};
	char spec[32];

	(void)state;
	snprintf(spec, sizeof(spec), "%u:1", bound_port(fd, AF_INET));
	assert_int_equal(publish_parse(spec, &i.ports[0], &err), 0);
	other.instance.ports[0] = i.ports[0];
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(create_check_ports(&i, &nobody, NULL, NULL, &err), -1);
	assert_non_null(strstr(err.text, "in use by"));
	assert_int_equal(create_check_ports(&i, &nobody, &i, NULL, &err), 0);	/* of the instance that makes place */
	assert_int_equal(create_check_ports(&i, &nobody, NULL, &all, &err), 0); /* of one that would be gone */
	close(fd);
	assert_int_equal(create_check_ports(&i, &nobody, NULL, NULL, &err), 0);
	assert_int_equal(create_check_ports(&i, &all, NULL, NULL, &err), -1);
	assert_non_null(strstr(err.text, "'db'"));
}

static void paths_in_use(void **state)
{
	struct instance i = {.name = (char *)"pg", .n_ports = 1};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct stored_list nobody = {};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct error err = {};

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/sockwake-test-%d.sock", getpid());
	i.ports[0].type = SOCK_STREAM;
	strcpy(i.ports[0].path, address.sun_path);
	assert_int_equal(create_check_ports(&i, &nobody, NULL, NULL, &err), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(create_check_ports(&i, &nobody, NULL, NULL, &err), -1);
	close(fd);
	assert_int_equal(create_check_ports(&i, &nobody, NULL, NULL, &err), 0); /* left behind */
	assert_int_equal(unlink(address.sun_path), 0);
	strcpy(i.ports[0].path, "/tmp");
	assert_int_equal(create_check_ports(&i, &nobody, NULL, NULL, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),	cmocka_unit_test(points_of_time), cmocka_unit_test(sizes),
		cmocka_unit_test(brief_spans),	cmocka_unit_test(clocks),	  cmocka_unit_test(lines),
		cmocka_unit_test(outside_text), cmocka_unit_test(holders),	  cmocka_unit_test(ports_in_use),
		cmocka_unit_test(paths_in_use), cmocka_unit_test(streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
