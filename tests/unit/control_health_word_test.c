/* control/health_word.c: placeholders in a health check that is a command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/health_word.h"
#include "control/note.h"

static char noted[1024];

static void take_note(enum note_kind kind, const char *text)
{
	size_t len = strlen(noted);

	assert_int_equal(kind, NOTE_REMARK);
	snprintf(noted + len, sizeof(noted) - len, "%s\n", text);
}

static const char *note(const char *check, const char *of_dependency)
{
	struct instance i = {.health_check = (char *)check,
			     .dependencies = {{.container = (char *)"db", .health_check = (char *)of_dependency}},
			     .n_dependencies = 1};

	noted[0] = '\0';
	note_set_sink(take_note);
	health_word_note(&i);
	return noted;
}

#define NOTED(word) "the health check has '" word "', which stays as it is: only {container_port} becomes a number\n"

static void placeholders(void **state)
{
	(void)state;
	assert_string_equal(note("curl -f http://localhost:{port}", NULL), NOTED("{port}"));
	assert_string_equal(note("{port} {container_port}{host}", "nc -z a {cport}"),
			    NOTED("{port}") NOTED("{host}") NOTED("{cport}"));
	assert_string_equal(note("nc -z localhost {container_port}", "postgres"), "");
	assert_string_equal(note("test ${port} -a {} -a {a,b} -a '{ print }'", NULL), "");
	assert_string_equal(note("http:/{port}", NULL), ""); /* no command */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(placeholders)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
