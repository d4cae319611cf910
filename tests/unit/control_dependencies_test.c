/* control/dependencies.c: what is noted of the dependencies of an instance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/dependencies.h"
#include "control/note.h"

static char noted[2048];

static void take_note(enum note_kind kind, const char *text)
{
	size_t len = strlen(noted);

	assert_int_equal(kind, NOTE_REMARK);
	snprintf(noted + len, sizeof(noted) - len, "%s\n", text);
}

static const char *note(const struct instance *i, const struct instance *before)
{
	noted[0] = '\0';
	note_set_sink(take_note);
	dependencies_note_unknown(i, before);
	return noted;
}

/* Once: an instance that is replaced had it noted. */
static void ready_as_soon_as_they_run(void **state)
{
	struct instance i = {.dependencies = {{.container = (char *)"db", .health_check = (char *)"postgres"},
					      {.container = (char *)"job"}},
			     .n_dependencies = 2},
			before = i;

	(void)state;
	assert_string_equal(note(&i, NULL), "'job' counts as ready as soon as it runs, because neither a port nor a "
					    "HEALTHCHECK of it is known: '--with job:PORT' waits for its server, "
					    "'--with job::completed' for the end of a job, and '--with job::none' says "
					    "that this is meant\n");
	assert_string_equal(note(&i, &before), "");
	before.dependencies[1].health_check = (char *)"none";
	assert_string_not_equal(note(&i, &before), "");
	before.n_dependencies = 1;
	assert_string_not_equal(note(&i, &before), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ready_as_soon_as_they_run)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
