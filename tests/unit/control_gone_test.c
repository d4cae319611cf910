/* control/gone.c: what is gone of a sleeping instance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/gone.h"

static const char *gone(const struct instance *i, bool missing, bool without_unit)
{
	static char text[1024];
	bool found;

	text[0] = '\0';
	found = gone_describe(i, missing, without_unit, text, sizeof(text));
	assert_int_equal(found, text[0] != '\0');
	return text;
}

static void a_container(void **state)
{
	struct instance i = {.name = (char *)"web", .container_name = (char *)"web-1", .backend = BACKEND_PODMAN};

	(void)state;
	assert_string_equal(gone(&i, false, false), "");
	assert_non_null(strstr(gone(&i, true, false), "there is no container 'web-1': 'podman ps -a' lists"));
	i.made_container = true;
	assert_non_null(strstr(gone(&i, true, false), "'sockwake create web --image …'"));
	assert_null(strstr(gone(&i, true, false), "ps -a"));
}

/* The container of a unit need not be there. */
static void a_unit(void **state)
{
	struct instance i = {
		.name = (char *)"web-wake", .container_name = (char *)"web", .unit = (char *)"web.service"};

	(void)state;
	assert_string_equal(gone(&i, true, false), "");
	assert_string_equal(gone(&i, true, true),
			    "there is no unit 'web.service', which runs its container: put its file "
			    "back, and run 'systemctl daemon-reload'");
	i.made_container = true;
	assert_non_null(strstr(gone(&i, true, true), "'sockwake create web-wake --image …' of then writes it again"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_container), cmocka_unit_test(a_unit)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
