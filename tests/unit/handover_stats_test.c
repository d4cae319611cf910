/* What people read of the statistics, and which file is none. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "handover/stats_text.h"
#include "instance/schedule.h"

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const char *text(const struct stats *s, uint64_t up)
{
	static char text[STATS_TEXT_MAX];

	return stats_text(s, up, text);
}

static void what_is_zero_is_left_out(void **state)
{
	const struct stats none = {}, some = {.connections = 2, .connections_total = 41, .bytes_to_container = 7},
			   all = {.flags = STATS_FULL,
				  .connections = 1,
				  .connections_total = 3,
				  .connections_failed = 1,
				  .flows_total = 1,
				  .flows = 9,
				  .bytes_from_container = 8};

	(void)state;
	assert_string_equal(text(&none, 0), "0 connections (0 in all); 0 B in, 0 B out; up 0s");
	assert_string_equal(text(&some, 25 * MINUTE), "2 connections (41 in all); 7 B in, 0 B out; up 25min");
	assert_string_equal(text(&all, 0), "Full, new connections wait: 1 connection (3 in all, 1 refused by the "
					   "container), 9 UDP flows (1 in all); 0 B in, 8 B out; up 0s");
}

static void bytes_have_units(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {{1023, "; 1023 B in"},	   {1024, "; 1.0 KiB in"},
		     {1536, "; 1.5 KiB in"},	   {(1 << 20) - 1024, "; 1023.0 KiB in"},
		     {1 << 20, "; 1.0 MiB in"},	   {20ULL << 30, "; 20.0 GiB in"},
		     {1ULL << 40, "; 1.0 TiB in"}, {1ULL << 50, "; 1.0 PiB in"},
		     {1ULL << 60, "; 1.0 EiB in"}, {UINT64_MAX, "; 16.0 EiB in"}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		const struct stats s = {.bytes_to_container = cases[k].bytes};

		if (!strstr(text(&s, 0), cases[k].text))
			fail_msg("%s lacks '%s'", text(&s, 0), cases[k].text);
	}
}

static void ages_have_two_units_at_most(void **state)
{
	static const struct {
		uint64_t up;
		const char *text;
	} cases[] = {{MINUTE - 1, "up 59s"},
		     {MINUTE, "up 1min"},
		     {HOUR - 1, "up 59min"},
		     {HOUR, "up 1h 0min"},
		     {5 * HOUR + 3 * MINUTE, "up 5h 3min"},
		     {DAY - 1, "up 23h 59min"},
		     {DAY, "up 1d 0h"},
		     {2 * DAY + 4 * HOUR, "up 2d 4h"}};
	const struct stats s = {};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++)
		assert_string_equal(strstr(text(&s, cases[k].up), "up "), cases[k].text);
}

static void each_member_of_the_header_is_looked_at(void **state)
{
	struct stats s = {.magic = STATS_MAGIC, .version = STATS_VERSION, .size = sizeof(s)};

	(void)state;
	assert_true(stats_is_ours(&s));
	s.magic++;
	assert_false(stats_is_ours(&s));
	s.magic--, s.version++;
	assert_false(stats_is_ours(&s));
	s.version--, s.size++;
	assert_false(stats_is_ours(&s));
}

static void a_client_has_its_address(void **state)
{
	struct stats s = {.woken_by = STATS_BY_CLIENT};
	char text[STATS_CLIENT_MAX];

	(void)state;
	assert_string_equal(stats_text_client(&s, text), ""); /* it had left */
	memcpy(s.client, (unsigned char[16]){[10] = 0xff, [11] = 0xff, 198, 51, 100, 2}, 16);
	assert_string_equal(stats_text_client(&s, text), "198.51.100.2");
	memcpy(s.client, (unsigned char[16]){0x20, 1, 0xd, 0xb8, [15] = 2}, 16);
	assert_string_equal(stats_text_client(&s, text), "2001:db8::2");
	s.woken_by = STATS_BY_LOCAL_CLIENT;
	assert_string_equal(stats_text_client(&s, text), "a client on a Unix socket");
	s.woken_by = STATS_BY_SCHEDULE;
	assert_string_equal(stats_text_client(&s, text), "");
}

static void damaged_figures_are_recognised(void **state)
{
	const size_t members[] = {offsetof(struct stats, wakes),
				  offsetof(struct stats, t_spawned),
				  offsetof(struct stats, t_accepting),
				  offsetof(struct stats, t_client),
				  offsetof(struct stats, connections_total),
				  offsetof(struct stats, bytes_to_container),
				  offsetof(struct stats, bytes_from_container)};

	(void)state;
	for (size_t k = 0; k < sizeof(members) / sizeof(*members); k++) {
		struct stats s = {};
		uint64_t huge = UINT64_MAX;

		assert_true(stats_are_plausible(&s));
		memcpy((char *)&s + members[k], &huge, sizeof(huge));
		assert_false(stats_are_plausible(&s));
	}
}

/* What a machine that runs for decades could count. */
static void what_is_too_much(void **state)
{
	static const struct {
		size_t member;
		uint64_t too_much;
	} limits[] = {{offsetof(struct stats, t_spawned), 1ULL << 50},
		      {offsetof(struct stats, wakes), 1ULL << 48},
		      {offsetof(struct stats, bytes_to_container), 1ULL << 60}};

	(void)state;
	for (size_t k = 0; k < sizeof(limits) / sizeof(*limits); k++) {
		for (uint64_t less = 0; less < 2; less++) {
			struct stats s = {};

			*(uint64_t *)((char *)&s + limits[k].member) = limits[k].too_much - less;
			assert_int_equal(stats_are_plausible(&s), less);
		}
	}
}

#define NOW (1000 * USEC_PER_SEC)

/* A hold, and two windows of the schedule. */
static void until_when_it_is_held(void **state)
{
	static const struct {
		uint64_t hold, from[2], until[2], expected;
	} cases[] = {
		{0, {0, 0}, {0, 0}, 0},
		{NOW, {0, 0}, {0, 0}, 0},
		{NOW + 1, {0, 0}, {0, 0}, NOW + 1},
		{NOW + HOLD_MAX, {0, 0}, {0, 0}, NOW + HOLD_MAX},
		{NOW + HOLD_MAX + 1, {0, 0}, {0, 0}, 0}, /* nobody holds it for so long */
		{0, {NOW, 0}, {NOW + 2, 0}, NOW + 2},
		{0, {NOW + 1, 0}, {NOW + 2, 0}, 0}, /* has not begun */
		{0, {NOW - 2, 0}, {NOW, 0}, 0},	    /* is over */
		{0, {NOW - 2, NOW}, {NOW, NOW + 3}, NOW + 3},
		{NOW + 5, {NOW, NOW}, {NOW + 2, NOW + 3}, NOW + 5},
		{NOW + 1, {NOW, NOW}, {NOW + 3, NOW + 2}, NOW + 3},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct stats s = {.held_until = cases[k].hold};

		for (size_t w = 0; w < 2; w++) {
			s.warm[w].from = cases[k].from[w];
			s.warm[w].until = cases[k].until[w];
		}
		if (stats_held_until(&s, NOW) != cases[k].expected)
			fail_msg("case %zu", k);
	}
}

/* An empty one, that the test's process alone has. */
static int memory(void)
{
	int fd = memfd_create("sockwake-stats", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void a_new_file_begins_at_zero(void **state)
{
	_cleanup_close_ int fd = memory();
	struct error err;
	struct stats *s;

	(void)state;
	assert_int_equal(ftruncate(fd, sizeof(*s)), 0);
	assert_int_equal(pwrite(fd, "x", 1, offsetof(struct stats, wakes)), 1);
	s = stats_map(fd, 1, &err);
	assert_non_null(s);
	assert_true(stats_is_ours(s));
	assert_int_equal(s->wakes, 0);
	munmap(s, sizeof(*s));
}

static const char *why_not_mapped(int fd, int init, int code)
{
	static struct error err;

	assert_null(stats_map(fd, init, &err));
	assert_int_equal(err.code, code);
	return err.text;
}

static void why_a_file_is_not_mapped(void **state)
{
	_cleanup_close_ int fd = memory(), only = -1;
	char path[64];

	(void)state;
	assert_non_null(strstr(why_not_mapped(-1, 1, EBADF), "cannot examine the statistics file"));
	assert_non_null(strstr(why_not_mapped(fd, 0, EPROTO), "another size"));
	assert_int_equal(ftruncate(fd, sizeof(struct stats)), 0);
	assert_non_null(strstr(why_not_mapped(fd, 0, EPROTO), "by another version"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	only = open(path, O_RDONLY | O_CLOEXEC);
	assert_non_null(strstr(why_not_mapped(only, 1, EACCES), "cannot map the statistics file"));
	assert_int_equal(ftruncate(fd, 1), 0);
	assert_non_null(strstr(why_not_mapped(only, 1, EPROTO), "another size")); /* cannot be made longer */
}

/* What was refused is not left mapped: the addresses are free again. */
static void a_refused_file_is_not_left_mapped(void **state)
{
	_cleanup_close_ int fd = memory();
	char line[512];
	FILE *maps;

	(void)state;
	assert_int_equal(ftruncate(fd, sizeof(struct stats)), 0);
	(void)why_not_mapped(fd, 0, EPROTO);
	maps = fopen("/proc/self/maps", "re");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		assert_null(strstr(line, "sockwake-stats"));
	(void)fclose(maps);
}

static void errors_name_the_file(void **state)
{
	char path[] = "/tmp/sockwake-stats-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	struct rlimit none = {}, before;
	struct error err;
	struct stats s;

	(void)state;
	assert_int_equal(stats_read("/nonexistent/a.stats", &s, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.text, "cannot open '/nonexistent/a.stats'"));
	assert_int_equal(stats_read(path, &s, &err), -1);
	assert_int_equal(err.code, EPROTO);
	assert_non_null(strstr(err.text, path));
	assert_non_null(stats_map(fd, 1, &err));
	assert_int_equal(stats_read(path, &s, &err), 0);
	/* No file can be written to (RLIMIT_FSIZE, setrlimit(2)). */
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(stats_hold(path, 5, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(err.code, EFBIG);
	assert_non_null(strstr(err.text, "cannot write '/tmp/sockwake-stats-"));
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_zero_is_left_out),
		cmocka_unit_test(bytes_have_units),
		cmocka_unit_test(ages_have_two_units_at_most),
		cmocka_unit_test(each_member_of_the_header_is_looked_at),
		cmocka_unit_test(a_client_has_its_address),
		cmocka_unit_test(damaged_figures_are_recognised),
		cmocka_unit_test(what_is_too_much),
		cmocka_unit_test(until_when_it_is_held),
		cmocka_unit_test(a_new_file_begins_at_zero),
		cmocka_unit_test(why_a_file_is_not_mapped),
		cmocka_unit_test(a_refused_file_is_not_left_mapped),
		cmocka_unit_test(errors_name_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
