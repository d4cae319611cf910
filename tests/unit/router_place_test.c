#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "router/place.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void it_is_a_container_by_any_of_three_signs(void **state)
{
	static const struct {
		const char *cgroup;
		size_t namespaces;
		bool host_users;
		enum place_kind kind;
		const char *container;
	} cases[] = {
		{"0::/user.slice/user-1000.slice/session-2.scope\n", 1, true, PLACE_HOST, ""},
		{"0::/system.slice/cron.service\n", 1, true, PLACE_HOST, ""},
		{"0::/system.slice/docker-" ID ".scope\n", 2, true, PLACE_CONTAINER, ID},
		{"0::/docker/" ID "\n", 2, true, PLACE_CONTAINER, ID},
		/* --pid=host: the control group tells. */
		{"0::/system.slice/docker-" ID ".scope\n", 1, true, PLACE_CONTAINER, ID},
		/* --cgroup-parent with a name of its own: the namespace tells. */
		{"0::/user.slice/user-1000.slice/mine\n", 2, true, PLACE_CONTAINER, ""},
		/* Rootless. */
		{"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/container\n", 2,
		 false, PLACE_OWN_CONTAINER, ""},
		{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n", 1, false,
		 PLACE_OWN_CONTAINER, ""},
		/* Another user's; root's with users of its own. */
		{"0::/user.slice/user-1001.slice/user@1001.service/libpod-" ID ".scope\n", 2, false, PLACE_CONTAINER,
		 ""},
		{"0::/user.slice/user-10001.slice/user@10001.service/libpod-" ID ".scope\n", 2, false, PLACE_CONTAINER,
		 ""},
		{"0::/machine.slice/libpod-" ID ".scope\n", 2, false, PLACE_CONTAINER, ID},
		/* Not quite an identifier. */
		{"0::/system.slice/x-" ID "0.service\n", 1, true, PLACE_HOST, ""},
		{"0::/system.slice/x-" ID "\n", 1, true, PLACE_CONTAINER, ""},
		/* Forged: whoever has a control group makes others below it. */
		{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker-" ID ".scope\n", 1, true,
		 PLACE_CONTAINER, ""},
		{"0::/system.slice/x.service/system.slice/docker-" ID ".scope\n", 1, true, PLACE_CONTAINER, ""},
		{"0::/user.slice/user-1000.slice/0::/system.slice/docker-" ID ".scope\n", 1, true, PLACE_CONTAINER, ""},
		{"0::/system.slice/ABCDEF.service\n", 1, true, PLACE_HOST, ""},
	};
	char container[PLACE_CONTAINER_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(place_of(cases[i].cgroup, cases[i].namespaces, cases[i].host_users, 1000, container),
				 cases[i].kind);
		assert_string_equal(container, cases[i].container);
	}
}

static void the_user_of_a_slice_is_read_strictly(void **state)
{
	(void)state;
	assert_int_equal(place_slice("0::/user.slice/user-1000.slice/user@1000.service/x\n"), 1000);
	assert_int_equal(place_slice("1:name=systemd:/\n0::/user.slice/user-7.slice/x\n"), 7);
	assert_int_equal(place_slice("0::/user.slice/user-1000.slice\n"), PLACE_NOBODY);
	assert_int_equal(place_slice("0::/machine.slice/user.slice/user-1000.slice/x\n"), PLACE_NOBODY);
	assert_int_equal(place_slice("10::/user.slice/user-1000.slice/x\n"), PLACE_NOBODY);
	assert_int_equal(place_slice("0::/user.slice/user-1000.slicex/y\n"), PLACE_NOBODY);
	assert_int_equal(place_slice(""), PLACE_NOBODY);
}

static void a_process_that_has_ended_is_nowhere(void **state)
{
	_cleanup_close_ int pidfd = -1;
	struct place place;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(pidfd >= 0);
	assert_false(place_has_ended(pidfd));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(place_has_ended(pidfd));
	place_find(pid, pidfd, getuid(), &place);
	assert_int_equal(place.kind, PLACE_UNKNOWN);
	assert_string_equal(place.command, "");
}

static void without_a_pidfd_nothing_is_known(void **state)
{
	struct place place;

	(void)state;
	place_find(getpid(), -1, getuid(), &place);
	assert_int_equal(place.kind, PLACE_UNKNOWN);
}

static void a_process_is_found_again(void **state)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct place first, second;

	(void)state;
	assert_true(pidfd >= 0);
	place_find(getpid(), pidfd, getuid(), &first);
	place_find(getpid(), pidfd, getuid(), &second);
	assert_int_not_equal(first.kind, PLACE_UNKNOWN);
	assert_memory_equal(&first, &second, sizeof(first));
	assert_true(strncmp(first.command, "router_place_test", sizeof(first.command) - 1) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_a_container_by_any_of_three_signs),
		cmocka_unit_test(the_user_of_a_slice_is_read_strictly),
		cmocka_unit_test(a_process_that_has_ended_is_nowhere),
		cmocka_unit_test(without_a_pidfd_nothing_is_known),
		cmocka_unit_test(a_process_is_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
