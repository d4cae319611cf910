#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "router/endpoint.h"

/* A directory like /run/user, with one of this user's own in it. */
static char parent[64], own[128], place[256];
static struct error err;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(parent, sizeof(parent), "/tmp/router-endpoint.XXXXXX");
	if (!mkdtemp(parent))
		return -1;
	(void)snprintf(own, sizeof(own), "%s/%u", parent, (unsigned)getuid());
	(void)snprintf(place, sizeof(place), "%s/docker.sock", own);
	return mkdir(own, 0700);
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", parent);
	return system(command) == 0 ? 0 : -1;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static int connect_as(uid_t uid, enum engine_kind kind)
{
	_cleanup_close_ int directory = endpoint_directory(parent, getuid(), &err);
	int fd;

	assert_true(directory >= 0);
	fd = endpoint_connect(directory, kind, uid, &err);
	if (fd < 0)
		return -err.code;
	close(fd);
	return 0;
}

static void the_users_engine_is_connected(void **state)
{
	_cleanup_close_ int docker = -1, podman = -1;

	(void)state;
	docker = listen_at(place);
	assert_int_equal(connect_as(getuid(), ENGINE_DOCKER), 0);
	assert_int_equal(connect_as(getuid(), ENGINE_PODMAN), -ENOENT);
	(void)snprintf(place, sizeof(place), "%s/podman", own);
	assert_int_equal(mkdir(place, 0755), 0);
	(void)snprintf(place, sizeof(place), "%s/podman/podman.sock", own);
	podman = listen_at(place);
	assert_int_equal(connect_as(getuid(), ENGINE_PODMAN), 0);
}

static void an_engine_of_another_user_is_refused(void **state)
{
	_cleanup_close_ int fd = listen_at(place);

	(void)state;
	assert_int_equal(connect_as(getuid() + 1, ENGINE_DOCKER), -EPERM);
	assert_non_null(strstr(err.text, "is the socket of another user"));
}

static void a_link_is_not_followed(void **state)
{
	_cleanup_close_ int fd = -1;
	char target[256];

	(void)state;
	(void)snprintf(target, sizeof(target), "%s/target.sock", parent);
	fd = listen_at(target);
	assert_int_equal(symlink(target, place), 0);
	assert_int_equal(connect_as(getuid(), ENGINE_DOCKER), -EPERM);
	assert_int_equal(unlink(place), 0);
	assert_int_equal(symlink("../target.sock", place), 0);
	assert_int_equal(connect_as(getuid(), ENGINE_DOCKER), -EPERM);
}

static void a_link_in_the_way_is_not_followed(void **state)
{
	_cleanup_close_ int fd = -1;
	char target[256];

	(void)state;
	(void)snprintf(target, sizeof(target), "%s/elsewhere", own);
	assert_int_equal(mkdir(target, 0700), 0);
	(void)snprintf(target, sizeof(target), "%s/elsewhere/podman.sock", own);
	fd = listen_at(target);
	(void)snprintf(place, sizeof(place), "%s/podman", own);
	assert_int_equal(symlink("elsewhere", place), 0);
	assert_int_equal(connect_as(getuid(), ENGINE_PODMAN), -EPERM);
	assert_non_null(strstr(err.text, "is behind a link or another mount"));
}

static void another_mount_is_not_entered(void **state)
{
	(void)state;
	if (getuid() != 0)
		return; /* only root may mount */
	(void)snprintf(place, sizeof(place), "%s/podman", own);
	assert_int_equal(mkdir(place, 0700), 0);
	assert_int_equal(mount("none", place, "tmpfs", 0, NULL), 0);
	assert_int_equal(connect_as(getuid(), ENGINE_PODMAN), -EPERM);
	assert_int_equal(umount(place), 0);
}

static void something_else_in_its_place_is_refused(void **state)
{
	_cleanup_close_ int fd = open(place, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(connect_as(getuid(), ENGINE_DOCKER), -EPERM);
	assert_non_null(strstr(err.text, "is not a socket"));
}

static void nobody_listens(void **state)
{
	(void)state;
	assert_int_equal(close(listen_at(place)), 0);
	assert_int_equal(connect_as(getuid(), ENGINE_DOCKER), -ECONNREFUSED);
}

static void a_full_queue_is_no_refusal(void **state)
{
	_cleanup_close_ int fd = listen_at(place);
	int r;

	(void)state;
	do
		r = connect_as(getuid(), ENGINE_DOCKER);
	while (r == 0);
	assert_int_equal(r, -EAGAIN);
}

static void a_directory_that_others_can_write_is_refused(void **state)
{
	(void)state;
	assert_int_equal(chmod(own, 0770), 0);
	assert_int_equal(endpoint_directory(parent, getuid(), &err), -1);
	assert_int_equal(err.code, EPERM);
	assert_int_equal(chmod(own, 0707), 0);
	assert_int_equal(endpoint_directory(parent, getuid(), &err), -1);
	assert_int_equal(err.code, EPERM);
}

static void a_directory_that_is_missing_or_a_link_is_no_directory(void **state)
{
	char other[128];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/%u", parent, (unsigned)getuid() + 1);
	assert_int_equal(endpoint_directory(parent, getuid() + 1, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(symlink(own, other), 0);
	assert_int_equal(endpoint_directory(parent, getuid() + 1, &err), -1);
	assert_int_not_equal(err.code, ENOENT);
	assert_int_equal(endpoint_directory("/nonexistent", getuid(), &err), -1);
	assert_int_equal(err.code, ENOENT);
}

static void a_directory_of_another_user_is_refused(void **state)
{
	char other[128];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/%u", parent, (unsigned)getuid() + 1);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(endpoint_directory(parent, getuid() + 1, &err), -1);
	assert_int_equal(err.code, EPERM);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_users_engine_is_connected),
		CASE(an_engine_of_another_user_is_refused),
		CASE(a_link_is_not_followed),
		CASE(a_link_in_the_way_is_not_followed),
		CASE(another_mount_is_not_entered),
		CASE(something_else_in_its_place_is_refused),
		CASE(nobody_listens),
		CASE(a_full_queue_is_no_refusal),
		CASE(a_directory_that_others_can_write_is_refused),
		CASE(a_directory_that_is_missing_or_a_link_is_no_directory),
		CASE(a_directory_of_another_user_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
