/* control/lost.c: the volumes of a replaced container that the new one lacks. */
#include "control/lost.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct error err;

static const char *refusal(int result)
{
	return result < 0 ? err.text : "";
}

static const char *lost(struct container_mount *mounts, size_t n, char **volumes)
{
	struct create_request r = {.to_make = {.volumes = volumes}};

	return refusal(
		lost_check_container(&r, &(struct container){.name = "web", .mounts = mounts, .n_mounts = n}, &err));
}

static void volumes_of_a_container(void **state)
{
	struct container_mount mounts[] = {
		{.name = (char *)"files", .source = (char *)"/v/files", .destination = (char *)"/files"},
		{.source = (char *)"/srv", .destination = (char *)"/srv"},
		{.name = (char *)"odd", .source = (char *)"/v/odd", .destination = (char *)""},
	};
	struct create_request dropped = {.drop_volumes = true};

	(void)state;
	assert_string_equal(lost(mounts, 3, (char *[]){(char *)"files:/files:ro", (char *)"/srv:/srv", NULL}), "");
	assert_string_equal(
		lost(mounts, 3, (char *[]){(char *)"/srv:/srv", NULL}),
		"the new container would lack a volume of the container 'web' that it replaces: keep it with "
		"-v 'files:/files', or give it up with --drop-volumes (the data stays where it is)");
	assert_int_equal(err.code, EEXIST);
	assert_string_equal(
		lost(mounts, 3, (char *[]){(char *)"files:/elsewhere", NULL}),
		"the new container would lack volumes of the container 'web' that it replaces: keep them "
		"with -v 'files:/files' -v '/srv:/srv', or give them up with --drop-volumes (the data stays "
		"where it is)");
	assert_string_equal(lost(mounts, 0, NULL), "");
	assert_int_equal(lost_check_container(&dropped, &(struct container){.mounts = mounts, .n_mounts = 3}, &err), 0);
}

static const char *lost_lines(const char *text, char **volumes, bool drop)
{
	struct create_request r = {.to_make = {.image = (char *)"i", .volumes = volumes}, .drop_volumes = drop};

	return refusal(lost_check_quadlet(&r, text, "/q/web.container", &err));
}

static void volumes_of_a_quadlet(void **state)
{
	static const char text[] = "[Container]\nVolume=kept:/kept\nVolume=/srv:/srv:ro\n";
	static const char more[] = "[Container]\nVolume=%h:/h\nVolume=kept:/kept\nMount=type=tmpfs,dst=/t\n";

	(void)state;
	assert_string_equal(lost_lines(text, (char *[]){(char *)"kept:/kept", (char *)"/srv:/srv", NULL}, false), "");
	assert_string_equal(lost_lines(text, (char *[]){(char *)"/srv:/srv", NULL}, false),
			    "the new container would lack a volume of the Quadlet '/q/web.container' that it replaces: "
			    "keep it with -v 'kept:/kept', or give it up with --drop-volumes (the data stays where it "
			    "is)");
	assert_string_equal(lost_lines(text, NULL, true), "");
	assert_string_equal(lost_lines("[Container]\nImage=i\n", NULL, false), "");
	/* What no option writes is told once the rest is there. */
	assert_non_null(strstr(lost_lines(more, NULL, false), "keep it with -v 'kept:/kept',"));
	assert_string_equal(lost_lines(more, (char *[]){(char *)"kept:/kept", NULL}, false),
			    "'create --image' cannot write the line 'Volume=%h:/h' of the Quadlet '/q/web.container' "
			    "that it replaces: change that file instead of replacing it, or give the line up with "
			    "--drop-volumes (the data stays where it is)");
	assert_non_null(strstr(lost_lines("[Container]\nMount=type=tmpfs,dst=/t\n", NULL, false),
			       "the line 'Mount=type=tmpfs,dst=/t' of"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volumes_of_a_container),
		cmocka_unit_test(volumes_of_a_quadlet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
