/* cli/overview.c, table.c, sign.c and terminal.c: what `list` prints, on which terminal. */
#include <locale.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <cmocka.h>

#include "cli/overview.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "common/clock.h"
#include "instance_fixture.h"

#define NOW	  (1000036800 * USEC_PER_SEC)
#define MIN	  (60 * USEC_PER_SEC)
#define INSTANCES 5

static struct stored stored[INSTANCES];
static struct observation os[INSTANCES];

static struct observation *observed(size_t k, const char *name, const char *ports, enum state state, uint64_t ago,
				    const char *container_state)
{
	struct instance *i = &stored[k].instance;
	char specs[256], *rest = specs, *spec;

	*i = small_instance(name);
	i->n_ports = 0;
	snprintf(specs, sizeof(specs), "%s", ports);
	while ((spec = strsep(&rest, " ")))
		add_port(i, spec);
	os[k] = (struct observation){.stored = &stored[k], .state = state, .since_usec = NOW - ago};
	snprintf(os[k].container_state, sizeof(os[k].container_state), "%s", container_state);
	return &os[k];
}

static int make(void **state)
{
	struct observation *o;

	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	o = observed(0, "shop", "8080:80", STATE_AWAKE, 25 * MIN, "running");
	o->have_stats = true;
	o->sleeps_at = NOW + 9 * MIN + USEC_PER_SEC;
	o = observed(1, "album", "127.0.0.1:3000:80 53:53/udp", STATE_WAKING, 3 * USEC_PER_SEC, "starting");
	o->waiting = 1;
	o = observed(2, "cache", "[::1]:6379:6379", STATE_ASLEEP, 12 * MIN, "running");
	strcpy(o->attended_by, "shop");
	o = observed(3, "pg", "5432:5432", STATE_ASLEEP, 0, "missing");
	o->since_usec = 0;
	stored[3].instance.unit = strdup("pg.service");
	o = observed(4, "wiki", "/run/w.sock:80 1:1 2:2 3:3", STATE_FAILED, 2 * MIN, "exited");
	snprintf(o->reason, sizeof(o->reason), "exited with status 3 at once: 'sockwake logs wiki' shows why");
	return 0;
}

static int forget(void **state)
{
	(void)state;
	for (size_t k = 0; k < INSTANCES; k++)
		instance_clear(&stored[k].instance);
	return 0;
}

static char *overview(size_t n, struct terminal t)
{
	struct error err;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_int_equal(overview_print(f, os, n, &t, NOW, &err), 0);
	fclose(f);
	return text;
}

static void assert_overview(size_t n, struct terminal t, const char *expected)
{
	char *text = overview(n, t);

	assert_string_equal(text, expected);
	free(text);
}

static void to_a_file(void **state)
{
	(void)state;
	assert_overview(INSTANCES, (struct terminal){.utf8 = true},
			"   NAME   LISTENS ON               STATE                    CLIENTS  CONTAINER\n"
			"●  shop   :8080                    awake, sleeps in 9min          0  shop running\n"
			"◐  album  127.0.0.1:3000, :53/udp  waking 3s of 30s       1 waiting  album starting\n"
			"○  cache  [::1]:6379               asleep 12min                   -  cache running\n"
			"○  pg     :5432                    asleep                         -  pg off\n"
			"✗  wiki   /run/w.sock, :1, 2 more  failed 2min ago                -  wiki exited\n"
			"cache: 'shop' keeps its container running\n"
			"wiki: exited with status 3 at once: 'sockwake logs wiki' shows why\n"
			"5 instances: 1 awake, 1 waking, 2 asleep, 1 failed\n");
}

static size_t columns_of(const char *line, size_t len)
{
	wchar_t wide[256];
	char copy[512];

	snprintf(copy, sizeof(copy), "%.*s", (int)len, line);
	return (size_t)wcswidth(wide, mbstowcs(wide, copy, 256));
}

static void every_width(void **state)
{
	(void)state;
	for (size_t width = 20; width <= 200; width++) {
		char *text = overview(INSTANCES, (struct terminal){.width = width, .utf8 = true});
		size_t lines = 0;

		/* The table: notes have words that are longer than a narrow terminal is wide. */
		for (char *s = text, *end; (end = strchr(s, '\n')) && lines < 1 + INSTANCES; s = end + 1, lines++)
			assert_in_range(columns_of(s, (size_t)(end - s)), 1, width);
		assert_int_equal(lines, 1 + INSTANCES);
		assert_non_null(strstr(text, width < 34 ? "shop" : "awake, sleeps in 9min"));
		free(text);
	}
}

static void narrow(void **state)
{
	(void)state;
	assert_overview(3, (struct terminal){.width = 80, .utf8 = true},
			"   NAME   LISTENS ON             STATE                    CLIENTS  CONTAINER\n"
			"●  shop   :8080                  awake, sleeps in 9min          0  shop running\n"
			"◐  album  ….0.0.1:3000, :53/udp  waking 3s of 30s       1 waiting  …bum starting\n"
			"○  cache  [::1]:6379             asleep 12min                   -  cache running\n"
			"cache: 'shop' keeps its container running\n"
			"3 instances: 1 awake, 1 waking, 1 asleep\n");
	assert_overview(3, (struct terminal){.width = 40, .utf8 = true},
			"   NAME   STATE\n"
			"●  shop   awake, sleeps in 9min\n"
			"◐  album  waking 3s of 30s\n"
			"○  cache  asleep 12min\n"
			"cache: 'shop' keeps its container\n"
			"       running\n"
			"3 instances: 1 awake, 1 waking, 1 asleep\n");
}

/* What is written to a file has no width: a name of 200 letters would still push all else out of sight. */
static void a_name_that_is_long(void **state)
{
	char name[201];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	free(stored[0].instance.name);
	stored[0].instance.name = strdup(name);
	for (unsigned utf8 = 0; utf8 < 2; utf8++) {
		char *text = overview(2, (struct terminal){.utf8 = utf8});
		const char *line = strchr(text, '\n') + 1;

		assert_in_range(strcspn(line, "\n"), 64, 160);
		assert_non_null(strstr(line, utf8 ? "…nnn" : "..nnn"));
		assert_non_null(strstr(line, ":8080"));
		free(text);
	}
}

static void without_utf8(void **state)
{
	(void)state;
	setlocale(LC_CTYPE, "C");
	assert_overview(INSTANCES, (struct terminal){.width = 72},
			"   NAME   LISTENS ON         STATE                    CLIENTS  CONTAINER\n"
			"*  shop   :8080              awake, sleeps in 9min          0  ..running\n"
			"~  album  ..1:3000, :53/udp  waking 3s of 30s       1 waiting  ..tarting\n"
			"o  cache  [::1]:6379         asleep 12min                   -  ..running\n"
			"o  pg     :5432              asleep                         -  pg off\n"
			"x  wiki   ..ock, :1, 2 more  failed 2min ago                -  .. exited\n"
			"cache: 'shop' keeps its container running\n"
			"wiki: exited with status 3 at once: 'sockwake logs wiki' shows why\n"
			"5 instances: 1 awake, 1 waking, 2 asleep, 1 failed\n");
}

static void in_colour(void **state)
{
	(void)state;
	assert_overview(
		1, (struct terminal){.width = 80, .utf8 = true, .colour = true},
		"   NAME  LISTENS ON  STATE                  CLIENTS  CONTAINER\n"
		"\033[32m●\033[0m  shop  :8080       \033[32mawake, sleeps in 9min\033[0m        0  shop running\n"
		"1 instance: 1 awake\n");
}

static void held_and_connected(void **state)
{
	(void)state;
	os[0].held_until = NOW + 60 * MIN;
	setenv("TZ", "UTC", 1);
	tzset();
	assert_overview(1, (struct terminal){.utf8 = true},
			"   NAME  LISTENS ON  STATE              CLIENTS  CONTAINER\n"
			"●  shop  :8080       awake until 13:00        0  shop running\n"
			"1 instance: 1 awake\n");
	os[0].held_until = os[0].sleeps_at = 0;
	os[0].stats.connections = 2;
	os[0].waiting = 3;
	assert_overview(1, (struct terminal){.utf8 = true},
			"   NAME  LISTENS ON  STATE             CLIENTS  CONTAINER\n"
			"●  shop  :8080       awake 25min  2, 3 waiting  shop running\n"
			"1 instance: 1 awake\n");
	os[0].state = STATE_WAKING;
	os[0].waiting = 0;
	os[0].somebody_waits = true;
	assert_overview(1, (struct terminal){.utf8 = true},
			"   NAME  LISTENS ON  STATE                  CLIENTS  CONTAINER\n"
			"◐  shop  :8080       waking 25min, overdue  waiting  shop running\n"
			"1 instance: 1 waking\n");
}

static struct terminal look(const char *term, const char *no_color, const char *locale, unsigned short width)
{
	struct winsize size = {.ws_row = 24, .ws_col = width};
	struct terminal t;
	int leader, follower;

	setenv("TERM", term, 1);
	setenv("LC_ALL", locale, 1);
	if (no_color)
		setenv("NO_COLOR", no_color, 1);
	else
		unsetenv("NO_COLOR");
	assert_int_equal(openpty(&leader, &follower, NULL, NULL, &size), 0);
	t = terminal_look(follower);
	close(follower);
	close(leader);
	return t;
}

static void terminals(void **state)
{
	struct terminal t = look("xterm", NULL, "C.UTF-8", 123);

	(void)state;
	assert_int_equal(t.width, 123);
	assert_true(t.colour && t.utf8);
	assert_false(look("xterm", "1", "C.UTF-8", 80).colour);
	assert_true(look("xterm", "", "C.UTF-8", 80).colour);
	assert_false(look("dumb", NULL, "C.UTF-8", 80).colour);
	assert_false(look("", NULL, "C.UTF-8", 80).colour);
	assert_false(look("xterm", NULL, "C", 80).utf8);
	unsetenv("COLUMNS");
	assert_int_equal(look("xterm", NULL, "C", 0).width, 80);
	setenv("COLUMNS", "99", 1);
	assert_int_equal(look("xterm", NULL, "C", 0).width, 99);
	assert_int_equal(look("xterm", NULL, "C", 60).width, 60);
	setenv("COLUMNS", "many", 1);
	assert_int_equal(look("xterm", NULL, "C", 0).width, 80);
	unsetenv("COLUMNS");
}

static void no_terminal(void **state)
{
	int ends[2];
	struct terminal t;

	(void)state;
	setenv("TERM", "xterm", 1);
	setenv("COLUMNS", "80", 1);
	unsetenv("NO_COLOR");
	assert_int_equal(pipe(ends), 0);
	t = terminal_look(ends[1]);
	assert_int_equal(t.width, 0);
	assert_false(t.colour);
	close(ends[0]);
	close(ends[1]);
	unsetenv("COLUMNS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(to_a_file, make, forget),
		cmocka_unit_test_setup_teardown(every_width, make, forget),
		cmocka_unit_test_setup_teardown(narrow, make, forget),
		cmocka_unit_test_setup_teardown(a_name_that_is_long, make, forget),
		cmocka_unit_test_setup_teardown(without_utf8, make, forget),
		cmocka_unit_test_setup_teardown(in_colour, make, forget),
		cmocka_unit_test_setup_teardown(held_and_connected, make, forget),
		cmocka_unit_test(terminals),
		cmocka_unit_test(no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
