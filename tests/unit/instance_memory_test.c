/* What the folder instance/ does when memory runs out: something is whole, or there is none of it. */
#include "tests/unit/instance_fixture.h"
#include "tests/unit/memory_fixture.h"

#include "instance/dependency.h"
#include "instance/json.h"

static struct instance full;
static char *json;

static bool writes(void)
{
	_cleanup_free_ char *text = instance_to_json(&full);

	if (text)
		assert_string_equal(text, json);
	return text;
}

static bool reads(void)
{
	_cleanup_instance_ struct instance i = {};
	struct error err = {};
	int r = instance_from_json(json, &i, &err);

	assert_int_equal(r < 0, err.text[0] != '\0');
	return r == 0;
}

static void an_instance(void **state)
{
	(void)state;
	full = full_instance();
	json = instance_to_json(&full);
	memory_each(writes, 50);
	memory_each(reads, 50);
	free(json);
	instance_clear(&full);
}

static bool parses(void)
{
	struct dependency d;
	struct error err = {};
	int r = dependency_parse("db:5432:postgres", &d, &err);

	assert_int_equal(r < 0, err.text[0] != '\0');
	if (r == 0)
		assert_string_equal(d.health_check, "postgres");
	dependency_clear(&d);
	return r == 0;
}

static void a_dependency(void **state)
{
	(void)state;
	memory_each(parses, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_instance),
		cmocka_unit_test(a_dependency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
