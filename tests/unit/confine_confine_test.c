/* What a confined proxy no longer has, descriptors, files and privileges, and what it must still be able to do. */
#include "confine/capabilities.h"
#include "tests/unit/confine_fixture.h"

#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "confine/empty_root.h"
#include "confine/landlock.h"

/* --- descriptors --- */

static void closes_descriptors(void)
{
	int keep[] = {200, -1, 3, 150, 150};
	const struct confinement c = {.keep = keep, .n_keep = 5};

	for (int fd = 3; fd < 300; fd++)
		CHECK(dup2(STDERR_FILENO, fd) == fd);
	confined(&c);
	for (int fd = 0; fd < 400; fd++) {
		if (fd <= 3 || fd == 150 || fd == 200)
			CHECK(fcntl(fd, F_GETFD) >= 0);
		else
			CHECK_FAILS(EBADF, fcntl(fd, F_GETFD));
	}
}

static void test_descriptors(void **state)
{
	(void)state;
	survives(closes_descriptors);
}

/* --- file system --- */

static void uses_paths(void)
{
	const struct confinement c = {0};
	struct stat st;

	confined(&c);
	CHECK_FAILS(EPERM, open("/", O_RDONLY));
	CHECK_FAILS(EPERM, open("/etc/passwd", O_RDONLY));
	CHECK_FAILS(EPERM, open("/x", O_WRONLY | O_CREAT, 0600));
	CHECK_FAILS(EPERM, stat("/", &st));
	CHECK_FAILS(EPERM, access("/etc/passwd", F_OK));
	CHECK_FAILS(EPERM, unlink("/etc/passwd"));
	CHECK_FAILS(EPERM, mkdir("/x", 0700));
	CHECK_FAILS(EPERM, rename("/etc/passwd", "/x"));
	CHECK_FAILS(EPERM, symlink("/etc/passwd", "/x"));
	CHECK_FAILS(EPERM, chmod("/", 0777));
	CHECK_FAILS(EPERM, chdir("/"));
	CHECK_FAILS(EPERM, syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0));
	CHECK_FAILS(EPERM, syscall(SYS_truncate, "/etc/passwd", 0));
}

/* The layer below the system call filter. */
static void looks_for_the_old_root(void)
{
	struct error err;

	CHECK(empty_root(false, &err) == 0);
	CHECK(capabilities_drop(false, &err) == 0);
	CHECK_FAILS(ENOENT, open("/etc/passwd", O_RDONLY));
	CHECK_FAILS(ENOENT, open("../../../../../etc/passwd", O_RDONLY));
	CHECK_FAILS(ENOENT, open("/proc/self/root/etc/passwd", O_RDONLY));
	CHECK(mkdir("/x", 0700) == -1);
	CHECK(open("/x", O_WRONLY | O_CREAT, 0600) == -1);
	CHECK_FAILS(EPERM, umount2("/", MNT_DETACH));
	CHECK_FAILS(EPERM, chroot("/"));
}

/* As one that was root's when root started it. */
static void leaves_a_directory_it_may_not_enter(void)
{
	char directory[] = "/tmp/sockwake-confine-XXXXXX";
	struct error err;

	CHECK(mkdtemp(directory) && chdir(directory) == 0 && chmod(directory, 0) == 0 && rmdir(directory) == 0);
	CHECK_FAILS(EACCES, open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
	CHECK(empty_root(false, &err) == 0);
	CHECK(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) >= 0);
}

static void opens_under_landlock(void)
{
	const struct confinement c = {0};
	unsigned missing = 0;
	struct error err;

	CHECK(capabilities_drop(false, &err) == 0);
	CHECK(landlock_restrict(&c, &missing, &err) == 0 && missing == 0);
	CHECK_FAILS(EACCES, open("/etc/passwd", O_RDONLY));
	CHECK_FAILS(EACCES, open("/", O_RDONLY | O_DIRECTORY));
	CHECK_FAILS(EACCES, execl("/bin/true", "true", NULL));
	CHECK_FAILS(EACCES, open("/tmp/sockwake-confine-test", O_WRONLY | O_CREAT, 0600));
}

static void test_file_system(void **state)
{
	(void)state;
	survives(uses_paths);
	in_modes(looks_for_the_old_root, SYSTEM_SCOPE, USER_SCOPE, 0);
	in_modes(leaves_a_directory_it_may_not_enter, SYSTEM_SCOPE, USER_SCOPE, 0);
	survives(opens_under_landlock);
}

static void reports_what_is_missing(void)
{
	const struct confinement c = {0};
	struct error err;
	unsigned missing;

	CHECK(confine(&c, &missing, &err) == 0);
	CHECK(missing == UNCONFINED_ROOT && confine_missing_text(missing));
}

static void reports_that_nothing_is_missing(void)
{
	const struct confinement c = {0};
	struct error err;
	unsigned missing;

	CHECK(confine(&c, &missing, &err) == 0);
	CHECK(missing == 0 && !confine_missing_text(missing));
}

static void test_reports_what_is_missing(void **state)
{
	(void)state;
	in_modes(reports_what_is_missing, NO_USERNS, NO_USERNS, 0);
	in_modes(reports_that_nothing_is_missing, SYSTEM_SCOPE, USER_SCOPE, 0);
}

/* --- capabilities --- */

/* A line of /proc/self/status, whose descriptor was opened before. */
static unsigned long long status_field(int fd, const char *name)
{
	char text[4096];
	ssize_t n = read(fd, text, sizeof(text) - 1);
	const char *line;

	CHECK(n > 0);
	text[n] = '\0';
	line = strstr(text, name);
	CHECK(line);
	return strtoull(line + strlen(name), NULL, 16);
}

static const char *const capability_sets[] = {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"};

static void has_no_privileges(void)
{
	int keep[7];
	const struct confinement c = {.keep = keep, .n_keep = 7};

	for (int i = 0; i < 7; i++)
		keep[i] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	confined(&c);
	for (int i = 0; i < 5; i++) {
		/* Without capabilities before, and without a new namespace, the bounding set cannot be emptied. */
		if (i != 3)
			CHECK(status_field(keep[i], capability_sets[i]) == 0);
	}
	CHECK(status_field(keep[5], "NoNewPrivs:") == 1);
	CHECK(status_field(keep[6], "\nSeccomp:") == 2);
}

static void has_an_empty_bounding_set(void)
{
	int keep[] = {open("/proc/self/status", O_RDONLY | O_CLOEXEC)};
	const struct confinement c = {.keep = keep, .n_keep = 1};

	confined(&c);
	CHECK(status_field(keep[0], "CapBnd:") == 0);
}

static void test_privileges(void **state)
{
	(void)state;
	survives(has_no_privileges);
	in_modes(has_an_empty_bounding_set, SYSTEM_SCOPE, USER_SCOPE, 0);
}

/* Needs to begin with the capability, so it does not run in the modes. */
static void test_transparent_keeps_net_raw_alone(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sockaddr_in foreign = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xcb007101)};
		uint16_t ports[] = {80};
		int keep[3], on = 1, fd;
		const struct confinement c = {
			.keep = keep, .n_keep = 3, .ports = ports, .n_ports = 1, .transparent = true};
		struct error err;
		unsigned missing;

		CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
		become_nobody();
		give_up_capabilities(CAP_TO_MASK(CAP_NET_RAW));
		for (int i = 0; i < 3; i++)
			keep[i] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
		CHECK(confine(&c, &missing, &err) == 0 && missing == 0);
		CHECK(status_field(keep[0], "CapEff:") == CAP_TO_MASK(CAP_NET_RAW));
		CHECK(status_field(keep[1], "CapPrm:") == CAP_TO_MASK(CAP_NET_RAW));
		CHECK(status_field(keep[2], "CapInh:") == 0);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CHECK(setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0);
		CHECK(bind(fd, (struct sockaddr *)&foreign, sizeof(foreign)) == 0);
		CHECK_FAILS(EPERM, socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
		CHECK_FAILS(EPERM, socket(AF_PACKET, SOCK_RAW, 0));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* --- what must go on working --- */

static void serves(void)
{
	uint16_t port, target_port;
	int epoll = epoll_create1(EPOLL_CLOEXEC), client, from, to, pipes[2], on = 1;
	int keep[] = {listener(&port), listener(&target_port), epoll, 0};
	const struct confinement c = {.keep = keep, .n_keep = 4, .ports = &target_port, .n_ports = 1};
	struct epoll_event event = {.events = EPOLLIN};
	char byte;

	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect_to(client, port) == 0 && send(client, "x", 1, 0) == 1);
	keep[3] = client;
	confined(&c);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, keep[0], &event) == 0 && epoll_wait(epoll, &event, 1, 1000) == 1);
	from = accept4(keep[0], NULL, NULL, SOCK_CLOEXEC);
	to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
	CHECK(setsockopt(to, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0);
	CHECK(setsockopt(to, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) == 0);
	CHECK(ioctl(from, SIOCATMARK, &on) == 0);
	CHECK(connect_to(to, target_port) == 0);
	CHECK(pipe2(pipes, O_NONBLOCK | O_CLOEXEC) == 0 && fcntl(pipes[0], F_SETPIPE_SZ, 65536) >= 65536);
	CHECK(splice(from, NULL, pipes[1], NULL, 65536, 0) == 1 && splice(pipes[0], NULL, to, NULL, 1, 0) == 1);
	CHECK(shutdown(to, SHUT_WR) == 0);
	to = accept4(keep[1], NULL, NULL, SOCK_CLOEXEC);
	CHECK(recv(to, &byte, 1, MSG_DONTWAIT) == 1 && byte == 'x');
	CHECK(write(from, "y", 1) == 1 && recv(client, &byte, 1, 0) == 1 && byte == 'y');
	CHECK(send(from, "z", 1, MSG_OOB) == 1);
}

static void test_serves(void **state)
{
	(void)state;
	survives(serves);
}

/* --- a Unix socket as target --- */

static char unix_directory[] = "/tmp/sockwake-confine-XXXXXX";

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static int unix_connect(const char *path)
{
	struct sockaddr_un a = unix_address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	return connect(fd, (struct sockaddr *)&a, sizeof(a));
}

static void connects_to_unix_target(void)
{
	const struct confinement c = {.unix_target = true};

	CHECK(chdir(unix_directory) == 0);
	confined(&c);
	CHECK(unix_connect("socket") == 0);
	CHECK_FAILS(ENOENT, unix_connect("/tmp/../socket"));
	CHECK_FAILS(ENOENT, unix_connect("absolute"));
	CHECK_FAILS(EPERM, open("socket", O_PATH));
	CHECK_FAILS(EPERM, socket(AF_UNIX, SOCK_DGRAM, 0));
}

static void unix_target_without_userns(void)
{
	const struct confinement c = {.unix_target = true};
	struct error err;
	unsigned missing;

	CHECK(confine(&c, &missing, &err) == -1 && strstr(err.text, "user namespaces"));
}

static void test_unix_target(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	char path[sizeof(a.sun_path)], link[sizeof(a.sun_path)];

	(void)state;
	assert_non_null(mkdtemp(unix_directory));
	assert_int_equal(chmod(unix_directory, 0755), 0);
	snprintf(path, sizeof(path), "%s/socket", unix_directory);
	snprintf(link, sizeof(link), "%s/absolute", unix_directory);
	a = unix_address(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(symlink(path, link), 0);
	in_modes(connects_to_unix_target, SYSTEM_SCOPE, USER_SCOPE, 0);
	in_modes(unix_target_without_userns, NO_USERNS, NO_USERNS, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(unix_directory), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_file_system),
		cmocka_unit_test(test_reports_what_is_missing),
		cmocka_unit_test(test_privileges),
		cmocka_unit_test(test_transparent_keeps_net_raw_alone),
		cmocka_unit_test(test_serves),
		cmocka_unit_test(test_unix_target),
	};

	return cmocka_run_group_tests_name("proxy/confine", tests, NULL, NULL);
}
