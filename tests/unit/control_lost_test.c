/* control/lost.c: the volumes of a replaced container that the new one lacks. */
#include "control/lost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/note.h"

static char told[2048];

static void take(enum note_kind kind, const char *text)
{
	size_t len = strlen(told);

	(void)kind;
	snprintf(told + len, sizeof(told) - len, "%s\n", text);
}

static const char *lost(struct container_mount *mounts, size_t n, char **volumes)
{
	struct create_request r = {.to_make = {.volumes = volumes}};

	told[0] = '\0';
	note_set_sink(take);
	lost_note_mounts(&r, &(struct container){.mounts = mounts, .n_mounts = n});
	return told;
}

static void volumes_of_a_container(void **state)
{
	struct container_mount mounts[] = {
		{.name = (char *)"files", .source = (char *)"/v/files", .destination = (char *)"/files"},
		{.source = (char *)"/srv", .destination = (char *)"/srv"},
		{.name = (char *)"odd", .source = (char *)"/v/odd", .destination = (char *)""},
	};

	(void)state;
	assert_string_equal(lost(mounts, 3, (char *[]){(char *)"files:/files:ro", (char *)"/srv:/srv", NULL}), "");
	assert_string_equal(lost(mounts, 3, (char *[]){(char *)"/srv:/srv", NULL}),
			    "the new container lacks the volume 'files:/files' of the one that was replaced: to keep "
			    "it, give the same command with --force -v 'files:/files'\n");
	lost(mounts, 3, (char *[]){(char *)"files:/elsewhere", NULL});
	assert_non_null(strstr(told, "'files:/files'"));
	assert_non_null(strstr(told, "'/srv:/srv'"));
	assert_string_equal(lost(mounts, 0, NULL), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volumes_of_a_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
