/* control/listen_check.c: an address that no interface has, and what has taken the place of an instance's own socket in the file
 * system. */
#include "tests/unit/instance_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "control/listen_check.h"

static const char *absent(const char *spec)
{
	static char text[256];
	bool found;
	struct instance i = {};

	add_port(&i, "8080:80");
	add_port(&i, spec);
	text[0] = '\0';
	found = listen_check_describe_absent(&i, text, sizeof(text));
	assert_int_equal(found, text[0] != '\0');
	return text;
}

static void addresses(void **state)
{
	(void)state;
	assert_string_equal(
		absent("192.0.2.55:8081:80"),
		"no interface has the address 192.0.2.55 now: clients reach port 8081 there as soon as one has "
		"it ('ip address' lists those there are)");
	assert_string_equal(absent("127.0.0.5:1:80"), ""); /* all of 127.0.0.0/8 is local */
	assert_string_equal(absent("0.0.0.0:8081:80"), "");
	assert_string_equal(absent("127.0.0.1:53:53/udp"), "");
	assert_string_equal(absent("/run/x:80"), "");
	assert_string_not_equal(absent("[2001:db8::55]:8081:80"), "");
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void what_would_be_deleted(void **state)
{
	_cleanup_(instance_clear) struct instance i = small_instance("x");
	_cleanup_close_ int own = -1, other = -1;
	char directory[] = "/tmp/sockwake-listen-XXXXXX", path[64], spec[96];
	struct error err;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/s", directory);
	snprintf(spec, sizeof(spec), "%s:80", path);
	add_port(&i, spec);
	assert_int_equal(listen_check_files(&i, &err), 0); /* nothing is there */
	own = listen_at(path);
	assert_int_equal(listen_check_files(&i, &err), 0);
	assert_int_equal(unlink(path), 0);
	other = listen_at(path);
	assert_int_equal(listen_check_files(&i, &err), -1);
	assert_int_equal(err.code, EADDRINUSE);
	assert_non_null(strstr(err.text, "another server listens on"));
	close_fd(&other);
	assert_int_equal(listen_check_files(&i, &err), 0); /* left behind */
	assert_int_equal(unlink(path), 0);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(listen_check_files(&i, &err), -1);
	assert_int_equal(err.code, EEXIST);
	assert_non_null(strstr(err.text, "move it away first"));
	unlink(path);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(addresses), cmocka_unit_test(what_would_be_deleted)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
