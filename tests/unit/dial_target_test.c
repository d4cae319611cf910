/* dial/target.h: addresses as they are written, a namespace's own addresses, and a Unix socket in a container whose
 * directories are full of traps. Needs root for the namespaces. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "dial/target.h"
#include "readiness/readiness.h"

#define SECOND USEC_PER_SEC

/* What the addresses become, joined by blanks. */
static void expect(char **addresses, const char *expected)
{
	struct target *targets;
	char all[4096] = "", text[TARGET_TEXT_MAX];
	struct error err;
	size_t n;

	if (targets_resolve(addresses, now_usec(), -1, &targets, &n, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < n; i++) {
		strcat(all, i ? " " : "");
		strcat(all, target_text(&targets[i], text));
	}
	free(targets);
	assert_string_equal(all, expected);
}

static void expect_error(char **addresses, const char *part)
{
	struct target *targets;
	struct error err;
	size_t n;

	assert_int_equal(targets_resolve(addresses, now_usec(), -1, &targets, &n, &err), -1);
	assert_non_null(strstr(err.text, part));
}

/* As argv is: nobody writes to it. */
#define LIST(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

static void test_addresses(void **state)
{
	static const char *const bad[] = {
		"",
		"localhost",
		"1.2.3",
		"1.2.3.4:80",
		"1.2.3.4 ",
		"[::1",
		"fe80::1",
		"::1%lo",
		"fe80::1%nothere",
		"1.2.3.4%lo",
		"::ffff:1.2.3.4",
		"unix",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001"};
	const char *many[TARGETS_MAX + 2] = {NULL};
	struct sockaddr_in6 *sin6;
	struct target *targets, t;
	struct error err;
	size_t n;

	(void)state;
	expect(LIST("10.0.0.1"), "10.0.0.1");
	expect(LIST("::1", "127.0.0.1", "[2001:db8::0:1]"), "::1 127.0.0.1 2001:db8::1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_error(LIST(bad[i]), bad[i]);
	expect_error(LIST("::1", "unix:/x"), "only target");
	for (size_t i = 0; i < TARGETS_MAX + 1; i++)
		many[i] = "::1";
	expect_error((char **)many, "more than 32");

	assert_int_equal(targets_resolve(LIST("fe80::1%lo"), now_usec(), -1, &targets, &n, &err), 0);
	t = target_with_port(targets, 5432);
	sin6 = (struct sockaddr_in6 *)&t.addr;
	assert_int_equal(sin6->sin6_scope_id, if_nametoindex("lo"));
	assert_int_equal(ntohs(sin6->sin6_port), 5432);
	assert_int_equal(t.len, sizeof(*sin6));
	free(targets);
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void test_own_addresses(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		assert_int_equal(unshare(CLONE_NEWNET), 0);
		expect(NULL, "127.0.0.1 ::1");
		run("ip link add br0 type bridge && ip link set br0 up && ip addr add 10.1.2.3/24 dev br0 &&"
		    "ip addr add fd00::7/64 nodad dev br0 && ip addr add fe80::7/64 nodad dev br0 && ip link set lo up &&"
		    "ip link add br1 type bridge && ip addr add 10.9.9.9/24 dev br1");
		expect(NULL, "127.0.0.1 ::1 10.1.2.3 fd00::7");
		expect((char *[]){NULL}, "127.0.0.1 ::1 10.1.2.3 fd00::7");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- a Unix socket --- */

static char root[] = "/tmp/sockwake-target-XXXXXX";

static int made_make(void **state)
{
	char command[2048];

	(void)state;
	if (!mkdtemp(root))
		return -1;
	/* "outside" is a name that exists only on the host: whoever follows a link out of the root finds it. */
	snprintf(command, sizeof(command),
		 "cd %s && mkdir -p c/run/app c/etc outside/app && ln -s /run c/var_run && ln -s %s/outside c/evil &&"
		 "ln -s ../../../../../../../..%s/outside c/climb && ln -s loop c/loop && touch c/etc/file",
		 root, root, root);
	return system(command);
}

static int remove_container(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void enter_container(void)
{
	char path[sizeof(root) + 8], number[16];
	int fd;

	snprintf(path, sizeof(path), "%s/c", root);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	snprintf(number, sizeof(number), "%d", fd);
	setenv("SOCKWAKE_ROOT_FD", number, 1);
}

static void expect_directory(const char *expected)
{
	char cwd[4096], path[4096];

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(path, sizeof(path), "%s/%s", root, expected);
	assert_string_equal(cwd, path);
}

/* Each in a child, whose working directory it is. */
static void in_child(void (*body)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		enter_container();
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void resolves_in_root(void)
{
	expect(LIST("unix:/run/app/x.sock"), "unix:/run/app/x.sock");
	expect_directory("c/run/app");
	expect(LIST("unix:/var_run/app/x.sock"), "unix:/var_run/app/x.sock");
	expect_directory("c/run/app");
	expect(LIST("unix:/x.sock"), "unix:/x.sock");
	expect_directory("c");
}

static void refuses_bad_paths(void)
{
	expect_error(LIST("unix:"), "absolute path");
	expect_error(LIST("unix:x"), "absolute path");
	expect_error(LIST("unix:/run/"), "absolute path");
	expect_error(LIST("unix:/run/."), "absolute path");
	expect_error(LIST("unix:/run/../x"), "absolute path");
	expect_error(LIST("unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		     "absolute path");
	/* The way out of the root ends in nothing. */
	expect_error(LIST("unix:/evil/app/x.sock"), "no directory '/evil/app/'");
	expect_error(LIST("unix:/climb/app/x.sock"), "no directory");
	expect_error(LIST("unix:/loop/x.sock"), "symbolic links");
	expect_error(LIST("unix:/etc/file/x.sock"), "Not a directory");
	setenv("SOCKWAKE_ROOT_FD", "x", 1);
	expect_error(LIST("unix:/run/app/x.sock"), "SOCKWAKE_ROOT_FD");
	unsetenv("SOCKWAKE_ROOT_FD");
	expect_error(LIST("unix:/run/app/x.sock"), "--container-root");
}

static struct sockaddr_un unix_address(const char *format, ...) __attribute__((format(printf, 1, 2)));
static struct sockaddr_un unix_address(const char *format, ...)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	va_list ap;

	va_start(ap, format);
	vsnprintf(a.sun_path, sizeof(a.sun_path), format, ap);
	va_end(ap);
	return a;
}

/* A server that makes its directory, then its socket, then listens, each a little later. */
static void serve_late(int restarted)
{
	struct sockaddr_un a = unix_address("%s/c/run/late/x.sock", root);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char path[sizeof(a.sun_path)];

	snprintf(path, sizeof(path), "%s/c/run/late", root);
	usleep(20000);
	if (mkdir(path, 0755) < 0)
		_exit(1);
	usleep(20000);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		_exit(1);
	usleep(20000);
	if (listen(fd, 1) < 0 || accept(fd, NULL, NULL) < 0)
		_exit(1);
	/* It restarts: the socket is another one, under the same name. */
	close(fd);
	if (unlink(a.sun_path) < 0)
		_exit(1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0 || write(restarted, "x", 1) != 1 ||
	    accept(fd, NULL, NULL) < 0)
		_exit(1);
	_exit(0);
}

static void waits_for_directory_and_socket(void)
{
	struct readiness r = {.kind = READY_LISTEN};
	struct target *targets;
	struct error err = {.text = ""};
	int status, pidfd, restarted[2];
	char byte;
	size_t n;
	pid_t pid;

	assert_int_equal(pipe(restarted), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		serve_late(restarted[1]);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (targets_resolve(LIST("unix:/run/late/x.sock"), now_usec() + 10 * SECOND, pidfd, &targets, &n, &err) < 0)
		fail_msg("%s", err.text);
	for (int i = 0; i < 2; i++) {
		if (readiness_wait(&r, SOCK_STREAM, 0, targets, n, now_usec() + 10 * SECOND, -1, &err) < 0)
			fail_msg("%s", err.text);
		if (i == 0)
			assert_int_equal(read(restarted[0], &byte, 1), 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* The container has ended. */
	assert_int_equal(targets_resolve(LIST("unix:/none/x"), now_usec() + 10 * SECOND, pidfd, &targets, &n, &err),
			 -1);
	assert_int_equal(err.code, ESRCH);
}

/* Before confinement "/" is the host's: a link in place of the socket must not be followed. */
static void does_not_follow_a_link(void)
{
	struct sockaddr_un a = unix_address("%s/outside/secret.sock", root);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct readiness r = {.kind = READY_REDIS};
	struct target *targets;
	struct error err;
	size_t n;

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(targets_resolve(LIST("unix:/run/app/x.sock"), now_usec(), -1, &targets, &n, &err), 0);
	assert_int_equal(symlink(a.sun_path, "x.sock"), 0);
	assert_int_equal(readiness_wait(&r, SOCK_STREAM, 0, targets, n, now_usec() + SECOND / 20, -1, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	assert_non_null(strstr(err.text, strerror(ENOTSOCK)));
	assert_int_equal(accept(fd, NULL, NULL), -1);
	assert_int_equal(unlink("x.sock"), 0);
	free(targets);
}

static void test_unix(void **state)
{
	(void)state;
	in_child(resolves_in_root);
	in_child(refuses_bad_paths);
	in_child(waits_for_directory_and_socket);
	in_child(does_not_follow_a_link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_own_addresses),
		cmocka_unit_test_setup_teardown(test_unix, made_make, remove_container),
	};

	return cmocka_run_group_tests_name("proxy/target", tests, NULL, NULL);
}
