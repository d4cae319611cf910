/* What a proxy does that cannot be confined as it should be: what has no substitute is an error, the rest is told. */
#include "confine/landlock.h"
#include "tests/unit/confine_fixture.h"
#include "tests/unit/refusal_fixture.h"

#include <linux/mount.h>
#include <poll.h>

#define ANY UINT64_MAX

/* A system call that fails, with any arguments or with this one. */
struct fault {
	int call;
	unsigned argument;
	uint64_t value;
	int error;
};

static const struct {
	struct fault faults[2];
	const char *says; /* NULL: it succeeds */
	unsigned missing;
	bool transparent, has_keeper, has_socket;
} cases[] = {
	{{{SYS_close_range, 0, ANY, EIO}}, .says = "cannot close descriptors"},
	/* An empty root. */
	{{{SYS_unshare, 0, ANY, EPERM}}, .missing = UNCONFINED_ROOT},
	{{{SYS_unshare, 0, ANY, EPERM}, {SYS_chdir, 0, ANY, EACCES}}, .says = "cannot change the working directory"},
	{{{SYS_fsopen, 0, ANY, EPERM}}, .missing = UNCONFINED_ROOT},
	{{{SYS_fsconfig, 1, FSCONFIG_SET_STRING, EPERM}}, .missing = UNCONFINED_ROOT},
	{{{SYS_fsconfig, 1, FSCONFIG_SET_FLAG, EPERM}}, .missing = UNCONFINED_ROOT},
	{{{SYS_fsconfig, 1, FSCONFIG_CMD_CREATE, EPERM}}, .missing = UNCONFINED_ROOT},
	{{{SYS_fsmount, 0, ANY, EPERM}}, .missing = UNCONFINED_ROOT},
	{{{SYS_move_mount, 0, ANY, EINVAL}}, .says = "cannot move to an empty root"},
	{{{SYS_fchdir, 0, ANY, EACCES}}, .says = "cannot move to an empty root"},
	{{{SYS_pivot_root, 0, ANY, EINVAL}}, .says = "cannot move to an empty root"},
	{{{SYS_umount2, 0, ANY, EINVAL}}, .says = "cannot move to an empty root"},
	{{{SYS_chdir, 0, ANY, EACCES}}, .says = "cannot change the working directory"},
	/* None is made where the network's own capability is needed. */
	{{{SYS_unshare, 0, ANY, EPERM}}, .transparent = true},
	{{{SYS_chdir, 0, ANY, EACCES}}, .transparent = true, .says = "cannot change the working directory"},
	/* Capabilities. */
	{{{SYS_prctl, 0, PR_CAP_AMBIENT, EINVAL}}, .says = "cannot give up capabilities"},
	{{{SYS_capset, 0, ANY, EPERM}}, .says = "cannot give up capabilities"},
	{{{SYS_capset, 0, ANY, EPERM}}, .transparent = true, .says = "--transparent needs nshelper --transparent"},
	{{{SYS_prctl, 0, PR_SET_NO_NEW_PRIVS, EINVAL}}, .says = "cannot rule out new privileges"},
	/* Filters on sockets. */
	{{{SYS_setsockopt, 2, SO_ATTACH_FILTER, EPERM}}, .has_socket = true, .missing = UNCONFINED_SOCKETS},
	{{{SYS_setsockopt, 2, SO_ATTACH_FILTER, ENOMEM}},
	 .has_socket = true,
	 .says = "cannot attach a filter to descriptor"},
	{{{SYS_getsockopt, 0, ANY, EIO}}, .has_socket = true}, /* what does not say what it is counts as no socket */
	/* Landlock. */
	{{{SYS_landlock_create_ruleset, 0, ANY, ENOSYS}}, .missing = UNCONFINED_LANDLOCK | UNCONFINED_PORTS},
	{{{SYS_landlock_create_ruleset, 2, 0, ENOMEM}}, .says = "cannot make a Landlock ruleset"},
	{{{SYS_landlock_add_rule, 0, ANY, ENOMEM}}, .says = "cannot allow connections to port 80"},
	{{{SYS_landlock_restrict_self, 0, ANY, E2BIG}}, .says = "cannot restrict this process by Landlock"},
	/* The keeper's end, and tracing. */
	{{{SYS_prctl, 0, PR_SET_PDEATHSIG, EINVAL}}, .missing = 0},
	{{{SYS_prctl, 0, PR_SET_PDEATHSIG, EINVAL}}, .has_keeper = true, .says = "cannot end with the keeper"},
	{{{SYS_prctl, 0, PR_SET_DUMPABLE, EINVAL}}, .says = "cannot forbid tracing"},
	/* The filter of system calls: this filter denies it. */
	{{{SYS_seccomp, 0, ANY, EACCES}}, .says = "cannot install the system call filter"},
};

static size_t at; /* the case at hand */

static void refuse(const struct fault *f)
{
	if (f->error != 0 && f->value == ANY)
		refuse_call(f->call, f->error);
	else if (f->error != 0)
		refuse_call_with(f->call, f->argument, f->value, f->error);
}

static bool behaves(void)
{
	static const uint16_t ports[] = {80};
	uint16_t port;
	int keep[] = {listener(&port)};
	struct confinement c = {.keep = keep,
				.n_keep = cases[at].has_socket,
				.ports = ports,
				.n_ports = 1,
				.transparent = cases[at].transparent,
				.has_keeper = cases[at].has_keeper};
	struct error err = {};
	unsigned missing = ~0U;
	int r;

	CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
	become_nobody();
	give_up_capabilities(cases[at].transparent ? CAP_TO_MASK(CAP_NET_RAW) : 0);
	refuse(&cases[at].faults[0]);
	refuse(&cases[at].faults[1]);
	r = confine(&c, &missing, &err);
	if (cases[at].says)
		return r == -1 && strstr(err.text, cases[at].says);
	return r == 0 && missing == cases[at].missing;
}

static void each_refusal_is_told(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(cases) / sizeof(*cases); at++) {
		if (!child_says(behaves))
			fail_msg("case %zu: '%s'", at, cases[at].says ? cases[at].says : "success");
	}
}

/* Some kernels let nobody attach one who has no power over the network (confine/disarm.c). */
static bool locks_or_may_not_attach(void)
{
	uint16_t port;
	int keep[] = {listener(&port)};
	const struct confinement c = {.keep = keep, .n_keep = 1};
	struct error err = {};
	unsigned missing;

	become_nobody();
	refuse_call_with(SYS_setsockopt, 2, SO_LOCK_FILTER, ENOMEM);
	if (confine(&c, &missing, &err) == 0)
		return missing == UNCONFINED_SOCKETS;
	return strstr(err.text, "cannot lock the filter of descriptor");
}

static void a_filter_is_locked(void **state)
{
	(void)state;
	assert_true(child_says(locks_or_may_not_attach));
}

/* Also where Landlock scopes no signals. Only what abort(3) needs is left. */
static bool signals_only_itself(void)
{
	const struct confinement c = {};
	pid_t own = getpid(), other;
	struct error err = {};
	unsigned missing;

	become_nobody();
	refuse_call(SYS_landlock_create_ruleset, ENOSYS);
	other = fork();
	CHECK(other >= 0);
	if (other == 0) {
		while (getppid() == own)
			(void)poll(NULL, 0, 100);
		_exit(0);
	}
	CHECK(syscall(SYS_tgkill, other, other, 0) == 0);
	CHECK(confine(&c, &missing, &err) == 0);
	return syscall(SYS_tgkill, own, own, 0) == 0 && syscall(SYS_tgkill, other, other, 0) < 0 && errno == EPERM &&
	       kill(other, 0) < 0 && errno == EPERM;
}

static void no_signal_reaches_others(void **state)
{
	(void)state;
	assert_true(child_says(signals_only_itself));
}

static void each_gap_has_its_sentence(void **state)
{
	static const unsigned root = UNCONFINED_ROOT, landlock = UNCONFINED_LANDLOCK, ports = UNCONFINED_PORTS;

	(void)state;
	assert_null(confine_missing_text(0));
	assert_null(confine_missing_text(UNCONFINED_SOCKETS));
	assert_non_null(strstr(confine_missing_text(root), "is closed by Landlock"));
	assert_non_null(strstr(confine_missing_text(root | ports), "is closed by Landlock"));
	assert_non_null(strstr(confine_missing_text(ports), "is older than Linux 6.7"));
	assert_non_null(strstr(confine_missing_text(landlock | ports), "has no Landlock"));
	assert_non_null(strstr(confine_missing_text(landlock | ports | root), "neither user namespaces nor Landlock"));
}

/* The numbers are the kernel's (linux/landlock.h): rights of files, of connections, and scopes. */
static void each_kernel_denies_what_it_can(void **state)
{
	static const struct {
		long abi;
		uint64_t file_system, network, transparent, scoped;
	} kernels[] = {
		{-1, 0, 0, 0, 0},     {0, 0, 0, 0, 0},	       {1, 0x1fff, 0, 0, 0}, {2, 0x3fff, 0, 0, 0},
		{3, 0x7fff, 0, 0, 0}, {4, 0x7fff, 3, 2, 0},    {5, 0xffff, 3, 2, 0}, {6, 0xffff, 3, 2, 3},
		{7, 0xffff, 3, 2, 3}, {1000, 0xffff, 3, 2, 3},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(kernels) / sizeof(*kernels); k++) {
		struct landlock_denied d = landlock_denied(kernels[k].abi, false);

		assert_int_equal(d.file_system, kernels[k].file_system);
		assert_int_equal(d.network, kernels[k].network);
		assert_int_equal(d.scoped, kernels[k].scoped);
		assert_int_equal(landlock_denied(kernels[k].abi, true).network, kernels[k].transparent);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kernel_denies_what_it_can),
		cmocka_unit_test(each_refusal_is_told),
		cmocka_unit_test(a_filter_is_locked),
		cmocka_unit_test(no_signal_reaches_others),
		cmocka_unit_test(each_gap_has_its_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
