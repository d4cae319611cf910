/* activator/conmon.c: what /proc says of conmon's children, and when a container is paused. */
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
#include <sys/wait.h>

#include "activator/conmon.h"
#include "common/io.h"
#include "tests/unit/proc_fixture.h"

static char root[64];

static int make_root(void **state)
{
	(void)state;
	strcpy(root, "/tmp/sockwake-cgroup-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void put(const char *group, const char *file, const char *text)
{
	char path[256];
	struct error err;

	snprintf(path, sizeof(path), "%s%s", root, group);
	assert_int_equal(directory_make(path, 0755, &err), 0);
	snprintf(path, sizeof(path), "%s%s/%s", root, group, file);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, &err), 0);
}

/* What the kernel shows when the container's group is frozen and its first process is in a group below. */
static void frozen_from_above(void **state)
{
	(void)state;
	put("/libpod-1", "cgroup.freeze", "1\n");
	put("/libpod-1", "cgroup.events", "populated 1\nfrozen 1\n");
	put("/libpod-1/init.scope", "cgroup.freeze", "0\n");
	put("/libpod-1/init.scope", "cgroup.events", "populated 1\nfrozen 1\n");
	assert_true(cgroup_is_frozen(root, "/libpod-1"));
	assert_true(cgroup_is_frozen(root, "/libpod-1/init.scope"));
}

static void not_frozen(void **state)
{
	(void)state;
	put("/libpod-1", "cgroup.freeze", "0\n");
	put("/libpod-1", "cgroup.events", "populated 1\nfrozen 0\n");
	put("/libpod-2", "cgroup.events", "populated 1\n");
	assert_false(cgroup_is_frozen(root, "/libpod-1"));
	assert_false(cgroup_is_frozen(root, "/libpod-2"));
	assert_false(cgroup_is_frozen(root, "/no-such-group"));
}

#undef ID
#define ID "0a15327bf593d746616d4d8a7b37bc3647811b69c92507823cea144b11ed21fe"

static void groups(void **state)
{
	char group[256], line[600];

	(void)state;
	assert_true(
		conmon_group("9:name=systemd:/\n0::/user.slice/libpod-" ID ".scope/container\n", group, sizeof(group)));
	assert_string_equal(group, "/user.slice/libpod-" ID ".scope/container");
	assert_true(conmon_group("0::/", group, sizeof(group)));
	assert_string_equal(group, "/");
	assert_false(conmon_group("", group, sizeof(group)));
	assert_false(conmon_group("1:name=systemd:0::/x\n10::/x\n", group, sizeof(group)));
	assert_false(conmon_group("0::/0123456789\n", group, 11));
	assert_true(conmon_group("0::/012345678\n", group, 11));
	/* A path of another hierarchy is its owner's to choose, and may have the beginning of a line anywhere in it. */
	for (size_t n = 200; n < 300; n++) {
		snprintf(line, sizeof(line), "1:name=systemd:/%0*d0::/libpod-" ID "\n", (int)n, 0);
		assert_false(conmon_group(line, group, sizeof(group)));
	}
}

static void identifiers(void **state)
{
	char id[CONTAINER_ID_MAX];

	(void)state;
	assert_true(conmon_id("/a.slice/libpod-" ID ".scope/container", id));
	assert_string_equal(id, ID);
	assert_true(conmon_id("/x.service/libpod-payload-" ID, id));
	assert_string_equal(id, ID);
	assert_false(conmon_id("/x.slice/libpod-conmon-" ID ".scope", id));
	assert_false(conmon_id("/x.slice/libpod-" ID "0.scope", id));
	assert_false(conmon_id("/x.slice/libpod-0a15", id));
	assert_false(conmon_id("/x.slice/y-libpod", id));
}

static void children(void **state)
{
	const char *rest = "856 4711 ";

	(void)state;
	assert_int_equal(conmon_child(&rest), 856);
	assert_int_equal(conmon_child(&rest), 4711);
	assert_int_equal(conmon_child(&rest), 0);
	assert_int_equal(conmon_child(&(const char *){"99999999999999999999"}), 0);
	assert_int_equal(conmon_child(&(const char *){"4294967297"}), 0);
	assert_int_equal(conmon_child(&(const char *){"-1"}), 0);
	assert_int_equal(conmon_child(&(const char *){"x"}), 0);
}

/* What /proc says of conmon 7 and its children; the container's first process is this one. */
static void what_is_no_process(void **state)
{
	static const struct {
		const char *text;
		pid_t pid;
	} cases[] = {
		{"", 0},
		{" ", 0},
		{"x", 0},
		{"0", 0},
		{"-1", 0},
		{"1", 1},
		{"2147483646", 2147483646},
		{"2147483647", 0},
		{"2147483648", 0},
		{"4294967297", 0},
		{"99999999999999999999", 0},
		{"-99999999999999999999", 0},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		const char *text = cases[k].text;

		assert_int_equal(conmon_child(&text), cases[k].pid);
		assert_int_equal(*text == '\0', cases[k].pid != 0 || !cases[k].text[0]);
	}
}

static void put_monitor(const char *comm, const char *id, const char *children)
{
	char self[16], group[256];

	snprintf(self, sizeof(self), "%d", getpid());
	snprintf(group, sizeof(group), "0::/x.service/libpod-payload-%s\n", id);
	proc_say("7", "comm", comm);
	proc_say("7", "task/7/children", children);
	proc_say("8", "cgroup", "0::/x.service/runtime\n");
	proc_say(self, "cgroup", group);
}

static void the_first_process(void **state)
{
	struct monitored m = {};
	struct error err = {};
	char children[64], line[64], path[64];
	int pidfd = -1;
	FILE *f;

	(void)state;
	snprintf(children, sizeof(children), "8 %d \n", getpid());
	put_monitor("conmon\n", ID, children);
	assert_int_equal(conmon_pin(7, "x", proc, root, &m, &pidfd, &err), 1);
	assert_int_equal(m.pid, getpid());
	assert_string_equal(m.id, ID);
	assert_false(m.frozen);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	snprintf(children, sizeof(children), "Pid:\t%d\n", getpid());
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && strncmp(line, "Pid:", 4) != 0)
		;
	fclose(f);
	close(pidfd);
	assert_string_equal(line, children);
}

static void no_first_process(void **state)
{
	struct monitored m = {};
	struct error err = {};
	char children[64];
	pid_t gone = fork();
	int pidfd = -1;

	(void)state;
	if (gone == 0)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	snprintf(children, sizeof(children), "8 %d \n", getpid());
	put_monitor("bash\n", ID, children);
	assert_int_equal(conmon_pin(7, "x", proc, root, &m, &pidfd, &err), 0);
	put_monitor("conmon\n", "0a15", children);
	assert_int_equal(conmon_pin(7, "x", proc, root, &m, &pidfd, &err), 0);
	put_monitor("conmon\n", ID, "8 \n");
	assert_int_equal(conmon_pin(7, "x", proc, root, &m, &pidfd, &err), 0);
	put_monitor("conmon\n", ID, "");
	assert_int_equal(conmon_pin(7, "x", proc, root, &m, &pidfd, &err), 0);
	assert_int_equal(conmon_pin(6, "x", proc, root, &m, &pidfd, &err), 0);
	/* It ends before it can be referred to. */
	snprintf(children, sizeof(children), "%d \n", gone);
	put_monitor("conmon\n", ID, children);
	snprintf(children, sizeof(children), "%d", gone);
	proc_say(children, "cgroup", "0::/libpod-" ID "\n");
	assert_int_equal(conmon_pin(7, "x", proc, root, &m, &pidfd, &err), 0);
	assert_int_equal(pidfd, -1);
}

static void names(void **state)
{
	static const char words[] = "/usr/bin/conmon\0-c\0-n\0web\0-n\0other", none[] = "conmon\0-n";
	char name[16], small[3];

	(void)state;
	assert_true(conmon_option(words, sizeof(words), "-n", name, sizeof(name)));
	assert_string_equal(name, "web");
	assert_false(conmon_option(words, sizeof(words), "-n", small, sizeof(small)));
	assert_false(conmon_option(none, sizeof(none), "-n", name, sizeof(name)));
	assert_false(conmon_option("", 0, "-n", name, sizeof(name)));
}

/* A process of the unit that watches this container. */
static void put_words(const char *pid, const char *container)
{
	char words[64];
	int n = snprintf(words, sizeof(words), "/usr/bin/conmon%c-n%c%s%c-s", 0, 0, container, 0);

	proc_put(pid, "cmdline", words, (size_t)n + 1);
}

/* A Kubernetes file's: 7 watches the service container, 9 another, 10 this one's parent. */
static void one_of_a_pod(void **state)
{
	char children[64];
	struct monitored m = {};
	struct error err = {};
	int pidfd = -1;

	(void)state;
	make_root(state);
	snprintf(children, sizeof(children), "%d \n", getpid());
	put_monitor("conmon\n", ID, "");
	proc_say("7", "cgroup", "0::/x.service\n");
	proc_say("9", "comm", "conmon\n");
	proc_say("9", "task/9/children", "");
	proc_say("10", "comm", "conmon\n");
	proc_say("10", "task/10/children", children);
	put_words("7", "59ee4a1dc52c-service");
	put_words("9", "app-db");
	put_words("10", "app-web");
	put("/x.service", "cgroup.procs", "7\n8\n9\n10\n");
	assert_int_equal(conmon_pin(7, "app-web", proc, root, &m, &pidfd, &err), 1);
	assert_int_equal(m.pid, getpid());
	close(pidfd);
	/* Nobody watches it: the engine is asked; the service container would be no server. */
	proc_say("7", "task/7/children", children);
	assert_int_equal(conmon_pin(7, "app-gone", proc, root, &m, &pidfd, &err), 0);
	assert_int_equal(conmon_pin(7, "app-db", proc, root, &m, &pidfd, &err), 0);
	/* A container that was renamed is still the unit's. */
	put_words("7", "old");
	assert_int_equal(conmon_pin(7, "new", proc, root, &m, &pidfd, &err), 1);
	close(pidfd);
	/* A group that is gone. */
	put_words("7", "59ee4a1dc52c-service");
	proc_say("7", "cgroup", "0::/y.service\n");
	assert_int_equal(conmon_pin(7, "app-web", proc, root, &m, &pidfd, &err), 0);
	remove_root(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frozen_from_above, make_root, remove_root),
		cmocka_unit_test(groups),
		cmocka_unit_test(identifiers),
		cmocka_unit_test(children),
		cmocka_unit_test(what_is_no_process),
		cmocka_unit_test_setup_teardown(the_first_process, proc_setup, proc_teardown),
		cmocka_unit_test_setup_teardown(no_first_process, proc_setup, proc_teardown),
		cmocka_unit_test(names),
		cmocka_unit_test_setup_teardown(one_of_a_pod, proc_setup, proc_teardown),
		cmocka_unit_test_setup_teardown(not_frozen, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
