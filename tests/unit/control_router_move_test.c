/* Moving docker.socket aside and back: in a directory that stands for the root, with a service manager that does what systemd
 * does with sockets, fails at a certain call, or is there when the command is killed. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "control/router_move.h"
#include "control/router_record.h"

#define CALLS_MAX 16 /* more than a move makes */

/* Survives a command that is killed. */
struct machine {
	bool router, docker, docker_service;
	bool found_place_empty; /* at a call nobody was at /run/docker.sock */
	int calls, fails_at, dies_at;
	int restarts;	   /* of Docker */
	bool refuses;	   /* confirm says no */
	bool docker_fails; /* its restart, after which it is off */
};

static char root[64];
static struct machine *machine;

static const char *at(const char *path)
{
	static char full[2][PATH_MAX];
	static unsigned n;
	char *ret = full[n++ % 2];

	snprintf(ret, PATH_MAX, "%s%s", root, path);
	return ret;
}

static bool there(const char *path)
{
	struct stat st;

	return lstat(at(path), &st) == 0;
}

static void put(const char *path, const char *text)
{
	FILE *f;

	(void)unlink(at(path));
	f = fopen(at(path), "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *text_of(const char *path)
{
	static char text[1024];
	FILE *f = fopen(at(path), "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

static int called(struct error *err)
{
	int n = ++machine->calls;

	if (!there(ROUTER_SOCKET) && machine->docker)
		machine->found_place_empty = true;
	if (n == machine->dies_at)
		_exit(0);
	return n == machine->fails_at ? error_set(err, EREMOTEIO, "call %d fails", n) : 0;
}

static int reload(void *data, struct error *err)
{
	(void)data;
	return called(err);
}

static int start(void *data, const char *unit, struct error *err)
{
	(void)data;
	if (called(err) < 0)
		return -1;
	if (strcmp(unit, ROUTER_SOCKET_UNIT) == 0) {
		if (!machine->router)
			put(ROUTER_SOCKET, "router");
		machine->router = true;
	}
	if (strcmp(unit, DOCKER_SERVICE_UNIT) == 0)
		machine->docker_service = true;
	return 0;
}

/* It leaves the file of the socket. */
static int stop(void *data, const char *unit, struct error *err)
{
	(void)data;
	if (called(err) < 0)
		return -1;
	if (strcmp(unit, ROUTER_SOCKET_UNIT) == 0)
		machine->router = false;
	return 0;
}

static int restart(void *data, const char *unit, struct error *err)
{
	(void)data;
	assert_string_equal(unit, DOCKER_SOCKET_UNIT);
	if (called(err) < 0)
		return -1;
	machine->restarts++;
	if (machine->docker_fails) {
		machine->docker = machine->docker_service = false;
		return error_set(err, EREMOTEIO, "Docker does not start");
	}
	machine->docker = true;
	if (there("/etc/systemd/system/docker.socket.d/sockwake-router.conf")) {
		(void)mkdir(at("/run/sockwake-engine"), 0755);
		put(ROUTER_ENGINE_SOCKET, "docker");
	} else {
		put(ROUTER_SOCKET, "docker");
	}
	return 0;
}

static bool is_active(void *data, const char *unit)
{
	(void)data;
	return strcmp(unit, ROUTER_SOCKET_UNIT) == 0   ? machine->router
	       : strcmp(unit, DOCKER_SOCKET_UNIT) == 0 ? machine->docker
						       : machine->docker_service;
}

static enum router_place look_at_place(void *data, const char *path)
{
	(void)data;
	return !there(path)			       ? ROUTER_PLACE_EMPTY
	       : strcmp(text_of(path), "another") == 0 ? ROUTER_PLACE_FOREIGN
						       : ROUTER_PLACE_HELD;
}

static int confirm(void *data, const char *docker_socket, struct error *err)
{
	(void)data;
	if (docker_socket)
		assert_true(there(ROUTER_KEPT_SOCKET));
	return machine->refuses ? error_set(err, EBUSY, "a container runs") : 0;
}

static const struct router_units units = {.reload = reload,
					  .start = start,
					  .stop = stop,
					  .restart = restart,
					  .is_active = is_active,
					  .look = look_at_place};
static struct router_move move = {.root = root,
				  .unit_file = "/lib/systemd/system/sockwake-router.socket",
				  .others = "ListenStream=2375\n",
				  .units = &units,
				  .confirm = confirm};

static char tree[8192];

static int add_to_tree(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t len = strlen(tree);
	char target[PATH_MAX];
	ssize_t n;

	(void)st;
	(void)ftw;
	path += strlen(root);
	len += (size_t)snprintf(tree + len, sizeof(tree) - len, "%s %o ", path, (unsigned)st->st_mode);
	if (type == FTW_SL || type == FTW_SLN) {
		n = readlink(at(path), target, sizeof(target));
		snprintf(tree + len, sizeof(tree) - len, "-> %.*s", (int)n, target);
	} else if (type == FTW_F) {
		snprintf(tree + len, sizeof(tree) - len, "%s", text_of(path));
	}
	strcat(tree, "\n");
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All files with their contents, in order; the caller frees it. */
static char *look(void)
{
	char *lines[256], *ret = calloc(1, sizeof(tree));
	size_t n = 0;

	tree[0] = '\0';
	assert_int_equal(nftw(root, add_to_tree, 8, FTW_PHYS), 0);
	for (char *rest = tree, *line; (line = strsep(&rest, "\n"));)
		lines[n++] = line;
	qsort(lines, n, sizeof(*lines), compare_lines);
	for (size_t k = 0; k < n; k++)
		sprintf(ret + strlen(ret), "%s\n", lines[k]);
	return ret;
}

static void make(const char *directory)
{
	struct error err;

	assert_int_equal(directory_make(at(directory), 0755, &err), 0);
}

static void begin(void)
{
	strcpy(root, "/tmp/sockwake-test-XXXXXX");
	assert_non_null(mkdtemp(root));
	machine = mmap(NULL, sizeof(*machine), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(machine != MAP_FAILED);
	make("/etc/systemd/system");
	make("/etc/tmpfiles.d");
	make("/run");
	make("/var/lib");
}

static void with_docker(void)
{
	begin();
	machine->docker = machine->docker_service = true;
	put(ROUTER_SOCKET, "docker");
}

static void with_podman_docker(void)
{
	begin();
	make("/usr/lib/tmpfiles.d");
	put("/usr/lib/tmpfiles.d/podman-docker.conf", "L+ …");
	assert_int_equal(symlink("/run/podman/podman.sock", at(ROUTER_SOCKET)), 0);
}

static void with_nothing(void)
{
	begin();
}

static void (*const machines[])(void) = {with_docker, with_podman_docker, with_nothing};
#define MACHINES (sizeof(machines) / sizeof(*machines))

static void end(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	assert_int_equal(system(command), 0);
	munmap(machine, sizeof(*machine));
}

typedef int (*action)(const struct router_move *m, struct error *err);

static void expect_done(action what)
{
	struct error err;

	if (what(&move, &err) < 0)
		fail_msg("%s", err.text);
}

static void expect_enabled(void)
{
	assert_int_equal(router_move_progress(&move), ROUTER_ON);
	assert_string_equal(text_of(ROUTER_SOCKET), "router");
	assert_true(there("/etc/systemd/system/sockets.target.wants/sockwake-router.socket"));
	assert_true(there("/etc/systemd/system/docker.socket.d/sockwake-router.conf"));
	assert_non_null(strstr(text_of("/etc/systemd/system/docker.socket.d/sockwake-router.conf"),
			       "ListenStream=\nListenStream=" ROUTER_ENGINE_SOCKET "\n"));
	assert_non_null(
		strstr(text_of("/etc/systemd/system/docker.socket.d/sockwake-router.conf"), "ListenStream=2375\n"));
	assert_false(there(ROUTER_KEPT_SOCKET));
	assert_true(machine->router);
	assert_int_equal(there("/etc/tmpfiles.d/podman-docker.conf"), there("/usr/lib/tmpfiles.d"));
	if (machine->docker)
		assert_string_equal(text_of(ROUTER_ENGINE_SOCKET), "docker");
}

static void expect_as_before(const char *before)
{
	_cleanup_free_ char *after = look();

	assert_string_equal(after, before);
	assert_false(machine->router);
	assert_int_equal(router_move_progress(&move), ROUTER_OFF);
}

static void there_and_back_leaves_no_trace(void **state)
{
	(void)state;
	for (size_t k = 0; k < MACHINES; k++) {
		_cleanup_free_ char *before = NULL;

		machines[k]();
		before = look();
		expect_done(router_move_apply);
		expect_enabled();
		expect_done(router_move_revert);
		expect_as_before(before);
		assert_int_equal(machine->restarts, k == 0 ? 2 : 0);
		assert_false(machine->found_place_empty);
		end();
	}
}

static void directories_of_others_stay(void **state)
{
	_cleanup_free_ char *before = NULL;

	(void)state;
	with_docker();
	make("/etc/systemd/system/docker.socket.d");
	put("/etc/systemd/system/docker.socket.d/own.conf", "[Socket]\n");
	make("/etc/systemd/system/sockets.target.wants");
	make("/var/lib/sockwake");
	before = look();
	expect_done(router_move_apply);
	expect_done(router_move_revert);
	expect_as_before(before);
	end();
}

static void a_mask_of_the_administrator_stays(void **state)
{
	_cleanup_free_ char *before = NULL;

	(void)state;
	with_podman_docker();
	assert_int_equal(symlink("/dev/null", at("/etc/tmpfiles.d/podman-docker.conf")), 0);
	before = look();
	expect_done(router_move_apply);
	expect_done(router_move_revert);
	expect_as_before(before);
	end();
}

static void a_file_of_others_is_not_replaced(void **state)
{
	_cleanup_free_ char *before = NULL;
	struct error err;

	(void)state;
	with_docker();
	make("/etc/systemd/system/docker.socket.d");
	put("/etc/systemd/system/docker.socket.d/sockwake-router.conf", "[Socket]\n");
	before = look();
	assert_int_equal(router_move_apply(&move, &err), -1);
	assert_non_null(strstr(err.text, "does not belong to sockwake"));
	expect_done(router_move_revert);
	assert_string_equal(text_of("/etc/systemd/system/docker.socket.d/sockwake-router.conf"), "[Socket]\n");
	end();
}

static void docker_is_not_restarted_before_it_may(void **state)
{
	_cleanup_free_ char *before = NULL;
	struct error err;

	(void)state;
	with_docker();
	before = look();
	machine->refuses = true;
	assert_int_equal(router_move_apply(&move, &err), -1);
	assert_string_equal(err.text, "a container runs");
	assert_true(router_move_is_reversible(&move));
	assert_string_equal(text_of(ROUTER_SOCKET), "router");
	expect_done(router_move_revert);
	expect_as_before(before);
	assert_int_equal(machine->restarts, 0);
	end();
}

static void a_socket_that_is_moved_is_not_moved_again(void **state)
{
	(void)state;
	with_docker();
	expect_done(router_move_apply);
	expect_done(router_move_apply);
	expect_enabled();
	assert_int_equal(machine->restarts, 1);
	end();
}

static void a_place_that_was_lost_is_taken_again(void **state)
{
	static const char *const others[] = {NULL, "another"};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		with_docker();
		expect_done(router_move_apply);
		(void)unlink(at(ROUTER_SOCKET));
		if (others[k])
			put(ROUTER_SOCKET, others[k]);
		expect_done(router_move_apply);
		expect_enabled();
		assert_int_equal(machine->restarts, 1);
		end();
	}
}

static void a_docker_that_did_not_come_back_comes_back_with_the_next_command(void **state)
{
	static const action next[] = {router_move_revert, router_move_apply};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		_cleanup_free_ char *before = NULL;
		struct router_move undo = move;
		struct error err;

		undo.undoes = true;
		with_docker();
		before = look();
		expect_done(router_move_apply);
		machine->docker_fails = true;
		assert_int_equal(router_move_revert(&move, &err), -1);
		assert_int_equal(router_move_apply(&undo, &err), -1);
		assert_int_equal(router_move_progress(&move), ROUTER_DISABLING);
		assert_int_equal(router_move_revert(&move, &err), -1);
		machine->docker_fails = false;
		expect_done(next[k]);
		assert_true(machine->docker && machine->docker_service);
		if (next[k] == router_move_revert)
			expect_as_before(before);
		else
			expect_enabled();
		end();
	}
}

static void a_docker_that_is_off_stays_off(void **state)
{
	(void)state;
	with_docker();
	expect_done(router_move_apply);
	machine->docker = machine->docker_service = false; /* by the administrator */
	expect_done(router_move_revert);
	assert_false(machine->docker);
	end();
}

/* One after the other, each call of `what` fails; what it has done is undone by `back`, or `what` is repeated. */
static void each_failure(void (*prepare)(void), action first, action what, action back, action again)
{
	bool failed = true;

	for (int n = 1; failed && n < CALLS_MAX; n++) {
		_cleanup_free_ char *before = NULL, *after = NULL;
		struct error err;

		prepare();
		before = look();
		if (first)
			expect_done(first);
		machine->calls = 0;
		machine->fails_at = n;
		failed = what(&move, &err) < 0;
		if (failed) {
			snprintf(tree, sizeof(tree), "call %d fails", n);
			assert_string_equal(err.text, tree);
			machine->fails_at = 0;
			expect_done(again ? again : back);
		}
		if ((failed && !again) == (what == router_move_apply))
			expect_as_before(before);
		else
			expect_enabled();
		assert_false(machine->found_place_empty);
		end();
	}
	assert_false(failed);
}

static void each_step_that_fails_is_undone(void **state)
{
	(void)state;
	for (size_t k = 0; k < MACHINES; k++) {
		each_failure(machines[k], NULL, router_move_apply, router_move_revert, NULL);
		each_failure(machines[k], NULL, router_move_apply, NULL, router_move_apply);
		each_failure(machines[k], router_move_apply, router_move_revert, router_move_apply, NULL);
		each_failure(machines[k], router_move_apply, router_move_revert, NULL, router_move_revert);
	}
}

/* false: the command was not killed, because it had come to its end. */
static bool kill_at(action what, int n)
{
	pid_t pid;
	int status;

	machine->calls = 0;
	machine->dies_at = n;
	pid = fork();
	if (pid == 0) {
		struct error err;

		_exit(what(&move, &err) == 0 ? 1 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	machine->dies_at = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 2);
	return WEXITSTATUS(status) == 0;
}

static void a_command_that_is_killed_is_finished_or_undone(void **state)
{
	static const action finishes[] = {router_move_apply, router_move_revert};

	(void)state;
	for (size_t k = 0; k < MACHINES * 4; k++) {
		bool begins_enabled = k & 1, killed = true;
		action finish = finishes[(k >> 1) & 1];

		for (int n = 1; killed && n < CALLS_MAX; n++) {
			_cleanup_free_ char *before = NULL;

			machines[k / 4]();
			before = look();
			if (begins_enabled)
				expect_done(router_move_apply);
			killed = kill_at(begins_enabled ? router_move_revert : router_move_apply, n);
			if (killed)
				assert_int_equal(router_move_progress(&move),
						 begins_enabled ? ROUTER_DISABLING : ROUTER_ENABLING);
			expect_done(finish);
			if (finish == router_move_apply)
				expect_enabled();
			else
				expect_as_before(before);
			end();
		}
		assert_false(killed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back_leaves_no_trace),
		cmocka_unit_test(directories_of_others_stay),
		cmocka_unit_test(a_mask_of_the_administrator_stays),
		cmocka_unit_test(a_file_of_others_is_not_replaced),
		cmocka_unit_test(docker_is_not_restarted_before_it_may),
		cmocka_unit_test(a_socket_that_is_moved_is_not_moved_again),
		cmocka_unit_test(a_place_that_was_lost_is_taken_again),
		cmocka_unit_test(a_docker_that_did_not_come_back_comes_back_with_the_next_command),
		cmocka_unit_test(a_docker_that_is_off_stays_off),
		cmocka_unit_test(each_step_that_fails_is_undone),
		cmocka_unit_test(a_command_that_is_killed_is_finished_or_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
