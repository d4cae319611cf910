/* backends/podman/names.c: is a name surely free? */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/podman/names.h"
#include "common/io.h"

#define LIST                                                                                                           \
	"[{\"id\":\"0a15\",\"names\":[\"web\"],\"image\":\"f1\"},{\"id\":\"0a16\",\"names\":[\"web-db\",\"cache\"]}]"

static struct podman_lists lists;
static char base[64];

static int setup(void **state)
{
	(void)state;
	strcpy(base, "/tmp/sockwake-names-XXXXXX");
	if (!mkdtemp(base))
		return -1;
	snprintf(lists.graph, sizeof(lists.graph), "%s/graph", base);
	snprintf(lists.run, sizeof(lists.run), "%s/run", base);
	return mkdir(lists.graph, 0700) < 0 || mkdir(lists.run, 0700) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", base);
	return system(command);
}

static void put(const char *folder, const char *file, const char *text)
{
	char path[PATH_MAX + 64];
	struct error err;

	snprintf(path, sizeof(path), "%s/%s/%s", base, folder, file);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, &err), 0);
}

static void in_each_list(void **state)
{
	static const char *const files[][2] = {
		{"graph", "containers.json"},
		{"graph", "volatile-containers.json"},
		{"run", "containers.json"},
		{"run", "volatile-containers.json"},
	};

	for (size_t k = 0; k < 4; k++) {
		assert_int_equal(setup(state), 0);
		put("graph", "containers.json", "[]");
		assert_true(podman_name_is_free(&lists, "web"));
		put(files[k][0], files[k][1], LIST);
		assert_false(podman_name_is_free(&lists, "web"));
		assert_false(podman_name_is_free(&lists, "cache"));
		assert_true(podman_name_is_free(&lists, "db"));
		assert_true(podman_name_is_free(&lists, "web-"));
		assert_int_equal(teardown(state), 0);
	}
}

static void what_proves_nothing(void **state)
{
	(void)state;
	assert_false(podman_name_is_free(&lists, "web")); /* there is no list */
	put("graph", "containers.json", "[]");
	put("graph", "volatile-containers.json", "[{\"id\":\"0a15\",\"nam");
	assert_false(podman_name_is_free(&lists, "web"));
	put("graph", "volatile-containers.json", "");
	assert_false(podman_name_is_free(&lists, "web"));
}

static void not_a_file(void **state)
{
	char path[PATH_MAX + 64];

	(void)state;
	put("graph", "containers.json", "[]");
	snprintf(path, sizeof(path), "%s/volatile-containers.json", lists.graph);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(podman_name_is_free(&lists, "web"));
}

static void the_longest(void **state)
{
	char name[256], text[300];

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	put("graph", "containers.json", "[]");
	assert_true(podman_name_is_free(&lists, name));
	snprintf(text, sizeof(text), "[{\"names\":[\"%s\"]}]", name);
	put("graph", "containers.json", text);
	assert_false(podman_name_is_free(&lists, name));
	memset(lists.run, 'd', sizeof(lists.run) - 1);
	put("graph", "containers.json", "[]");
	assert_false(podman_name_is_free(&lists, "web"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_each_list),
		cmocka_unit_test_setup_teardown(what_proves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(not_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(the_longest, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
