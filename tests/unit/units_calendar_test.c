/* units/calendar.c: the minutes of a window, as systemd is told them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units/calendar.h"

static void windows(void **state)
{
	static const struct {
		const char *window, *lines;
	} cases[] = {
		{"08:30-17:15", "08:30..59|09..16:*|17:00..14|"},
		{"08:30-08:45", "08:30..44|"}, /* within an hour */
		{"08:30-08:31", "08:30|"},     /* one minute */
		{"08:30-08:32", "08:30..31|"},
		{"08:30-09:00", "08:30..59|"},
		{"08:00-08:30", "08:00..29|"},
		{"08:00-09:00", "08:*|"},
		{"08:00-10:00", "08..09:*|"},
		{"08:59-09:01", "08:59|09:00|"},
		{"00:00-24:00", "00..23:*|"},
		{"Mon 22:00-24:00", "Mon 22..23:*|"},
		{"Sun 23:00-01:00", "Sun 23:*|Mon 00:*|"},
		{"Mon..Wed,Fri 08:00-09:00", "Mon..Wed,Fri 08:*|"},
		{"Mon,Wed 08:00-09:00", "Mon,Wed 08:*|"},
		{"Sat,Sun 08:00-09:00", "Sat..Sun 08:*|"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		char *text = NULL, found[256] = "";
		struct window w;
		struct error err;
		size_t len;
		FILE *f;

		assert_int_equal(window_parse(cases[k].window, &w, &err), 0);
		f = open_memstream(&text, &len);
		calendar_put(f, &w);
		assert_int_equal(fclose(f), 0);
		for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			assert_int_equal(strncmp(line, "OnCalendar=", strlen("OnCalendar=")), 0);
			strcat(found, line + strlen("OnCalendar="));
			strcat(found, "|");
		}
		assert_string_equal(found, cases[k].lines);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
