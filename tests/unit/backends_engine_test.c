/* backends/engine.c: whose engine a socket is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/engine.h"

static void own_sockets_and_roots(void **state)
{
	char path[] = "/tmp/sockwake-engine-XXXXXX";
	int fd = mkstemp(path);
	struct error err;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(engine_check_socket(SCOPE_USER, path, &err), 0);
	assert_int_equal(engine_check_socket(SCOPE_SYSTEM, "/dev/null", &err), 0); /* root's */
	assert_int_equal(engine_check_socket(SCOPE_USER, "/nonexistent", &err), 0);
	assert_int_equal(engine_check_socket(SCOPE_SYSTEM, "/nonexistent", &err), 0);
	if (geteuid() == 0) { /* root's user manager, and then an ordinary user */
		assert_int_equal(engine_check_socket(SCOPE_USER, "/etc/passwd", &err), 0);
		assert_int_equal(fchown(fd, 65534, (gid_t)-1), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	/* a member of the group docker; then a relay that is everybody's */
	assert_int_equal(engine_check_socket(SCOPE_USER, "/etc/passwd", &err), -1);
	assert_int_equal(err.code, EPERM);
	assert_string_equal(err.text,
			    "'/etc/passwd' is root's engine: a service of this user may not enter its containers; "
			    "do this as root ('sudo sockwake …')");
	assert_int_equal(engine_check_socket(SCOPE_USER, "/dev/null", &err), 0);
	assert_int_equal(engine_check_socket(SCOPE_USER, path, &err), 0);
	assert_int_equal(engine_check_socket(SCOPE_SYSTEM, path, &err), -1);
	assert_non_null(strstr(err.text, "which a service of the system cannot use"));
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	close(fd);
	unlink(path);
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
		cmocka_unit_test(each_has_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
