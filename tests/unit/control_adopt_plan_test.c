/* control/adopt_plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/adopt_plan.h"
#include "instance_fixture.h"

static void plan(struct stored_list *there, struct stored_list *freed, const char *name)
{
	_cleanup_instance_ struct instance i = small_instance(name);
	struct error err;

	if (adopt_plan_instance(there, freed, &i, &err) < 0)
		fail_msg("%s", err.text);
}

static const char *names(const struct stored_list *list)
{
	static char texts[2][100];
	static unsigned next;
	char *text = texts[next++ % 2];

	text[0] = '\0';
	for (size_t k = 0; k < list->n; k++)
		sprintf(strchr(text, '\0'), "%s%s", k ? " " : "", list->items[k].instance.name);
	return text;
}

static void what_would_be_there(void **state)
{
	_cleanup_stored_list_ struct stored_list there = {}, freed = {};
	struct error err;

	(void)state;
	plan(&there, &freed, "a");
	plan(&there, &freed, "b");
	plan(&there, &freed, "c");
	assert_int_equal(adopt_plan_removal(&there, &freed, "nobody", &err), 0);
	assert_string_equal(names(&there), "a b c");
	assert_string_equal(names(&freed), "");
	plan(&there, &freed, "a"); /* replaced: the old one's ports are free */
	assert_string_equal(names(&there), "b c a");
	assert_string_equal(names(&freed), "a");
	assert_int_equal(adopt_plan_removal(&there, &freed, "b", &err), 0);
	assert_string_equal(names(&there), "c a");
	assert_string_equal(names(&freed), "a b");
	adopt_plan_return(&there, &freed, "nobody");
	adopt_plan_return(&there, &freed, "b");
	assert_string_equal(names(&there), "c a b");
	assert_string_equal(names(&freed), "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_would_be_there)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
