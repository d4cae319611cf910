/* backends/engine.c: whose engine a socket is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/engine.h"

/* Returns the path of a socket of ours. */
static const char *make_socket(const char *directory, const char *name, mode_t mode, struct sockaddr_un *ret)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/%s", directory, name);
	assert_int_equal(bind(fd, (struct sockaddr *)ret, sizeof(*ret)), 0);
	assert_int_equal(chmod(ret->sun_path, mode), 0);
	close(fd);
	return ret->sun_path;
}

static void own_sockets_and_roots(void **state)
{
	char directory[] = "/tmp/sockwake-engine-XXXXXX", expected[512];
	struct sockaddr_un addresses[3];
	const char *own, *ours, *relay;
	struct error err;

	(void)state;
	assert_non_null(mkdtemp(directory));
	own = make_socket(directory, "own", 0600, &addresses[0]);
	ours = make_socket(directory, "root", 0660, &addresses[1]);
	relay = make_socket(directory, "relay", 0666, &addresses[2]);
	assert_int_equal(engine_check_socket(SCOPE_USER, own, &err), 0);
	assert_int_equal(engine_check_socket(SCOPE_USER, "/nonexistent", &err), 0);
	assert_int_equal(engine_check_socket(SCOPE_SYSTEM, "/nonexistent", &err), 0);
	assert_int_equal(engine_check_socket(SCOPE_USER, "/etc", &err), 0); /* connecting tells more */
	if (geteuid() == 0) {
		assert_int_equal(engine_check_socket(SCOPE_USER, ours, &err), 0); /* root's user manager */
		assert_int_equal(engine_check_socket(SCOPE_SYSTEM, ours, &err), 0);
		assert_int_equal(chmod(directory, 0755), 0);
		assert_int_equal(chown(own, 65534, (gid_t)-1), 0);
		assert_int_equal(seteuid(65534), 0); /* an ordinary user */
		/* a member of the group docker; then a relay that is everybody's */
		assert_int_equal(engine_check_socket(SCOPE_USER, ours, &err), -1);
		assert_int_equal(err.code, EPERM);
		snprintf(expected, sizeof(expected),
			 "'%s' is root's engine: a service of this user may not enter its containers; do this as root "
			 "('sudo sockwake …')",
			 ours);
		assert_string_equal(err.text, expected);
		assert_int_equal(engine_check_socket(SCOPE_USER, relay, &err), 0);
		assert_int_equal(engine_check_socket(SCOPE_USER, own, &err), 0);
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(engine_check_socket(SCOPE_SYSTEM, own, &err), -1);
		assert_non_null(strstr(err.text, "which a service of the system cannot use"));
	}
	unlink(own);
	unlink(ours);
	unlink(relay);
	rmdir(directory);
}

static void a_path_is_absolute_and_fits(void **state)
{
	char path[ENGINE_SOCKET_MAX + 1], found[ENGINE_SOCKET_MAX];
	struct error err;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[ENGINE_SOCKET_MAX] = '\0';
	assert_int_equal(engine_find_socket(BACKEND_DOCKER, SCOPE_USER, path, found, &err), -1);
	assert_int_equal(err.code, EINVAL);
	path[ENGINE_SOCKET_MAX - 1] = '\0';
	assert_int_equal(engine_find_socket(BACKEND_DOCKER, SCOPE_USER, path, found, &err), 0);
	assert_string_equal(found, path);
	assert_int_equal(engine_find_socket(BACKEND_DOCKER, SCOPE_USER, "run/docker.sock", found, &err), -1);
}

static void each_has_another(void **state)
{
	(void)state;
	assert_ptr_equal(engine_other(BACKEND_DOCKER), engine_backend(BACKEND_PODMAN));
	assert_ptr_equal(engine_other(BACKEND_PODMAN), engine_backend(BACKEND_DOCKER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_sockets_and_roots),
		cmocka_unit_test(a_path_is_absolute_and_fits),
		cmocka_unit_test(each_has_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
