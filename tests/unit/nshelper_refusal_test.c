/* What the kernel refuses ends nshelper, with the name of what was refused. */
#include "tests/unit/nshelper_fixture.h"
#include "tests/unit/refusal_fixture.h"

#include <netinet/in.h>
#include <sys/capability.h>

#include "nshelper/privileges.h"
#include "nshelper/routes.h"

#define ANY	    UINT64_MAX
#define SECURE_BITS 239 /* all that nshelper sets and locks in the end */

static const struct {
	int call;
	unsigned argument;
	uint64_t value;
	const char *says;
	bool keep_net_raw;
} steps[] = {
	{SYS_capget, 0, ANY, "cannot read the capabilities", false},
	{SYS_prctl, 0, PR_CAPBSET_DROP, "cannot drop capability 0 from the bounding set", false},
	{SYS_prctl, 0, PR_SET_SECUREBITS, "cannot set the securebits", false},
	{SYS_setgroups, 0, ANY, "cannot give up the supplementary groups", false},
	{SYS_setresgid, 0, ANY, "cannot become group 1001", false},
	{SYS_setresuid, 0, ANY, "cannot become user 1000", false},
	{SYS_prctl, 1, PR_CAP_AMBIENT_RAISE, "cannot keep CAP_NET_RAW", true},
	{SYS_capset, 0, ANY, "cannot keep CAP_NET_RAW", true},
	{SYS_prctl, 1, SECURE_BITS, "cannot set the securebits", false},
	{SYS_capset, 0, ANY, "cannot drop the capabilities", false},
	{SYS_prctl, 0, PR_SET_NO_NEW_PRIVS, "cannot set no-new-privileges", false},
	{SYS_getresuid, 0, ANY, "refusing to go on: cannot read the user back", false},
	{SYS_getresgid, 0, ANY, "refusing to go on: cannot read the user back", false},
};

static size_t at; /* the step at hand */

static bool is_named(void)
{
	static const struct identity somebody = {.uid = 1000, .gid = 1001};
	const struct privileges p = {.identity = &somebody, .keep_net_raw = steps[at].keep_net_raw};
	struct error err = {};

	if (steps[at].value == ANY)
		refuse_call(steps[at].call, EIO);
	else
		refuse_call_with(steps[at].call, steps[at].argument, steps[at].value, EIO);
	return privileges_drop(&p, &err) == -1 && err.code == EIO && strstr(err.text, steps[at].says);
}

static void each_step_is_named(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(steps) / sizeof(*steps); at++) {
		if (!child_says(is_named))
			fail_msg("step %zu: %s", at, steps[at].says);
	}
}

struct refused_run {
	int call;
	uint64_t value;	      /* of its first argument, or ANY */
	const char *words[8]; /* behind --pid PID */
};

static void run_refused(void *data)
{
	const struct refused_run *r = data;

	if (r->value == ANY)
		refuse_call(r->call, EACCES);
	else
		refuse_call_with(r->call, 0, r->value, EACCES);
	run_program((void *)(uintptr_t)r->words);
}

static void what_cannot_be_arranged_ends_it(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
	char n[16];
	const struct {
		struct refused_run run;
		const char *says;
	} cases[] = {
		{{SYS_socket, AF_NETLINK, {"nshelper", "--pid", number(n, pid), "--outside-source", "/bin/true"}},
		 "cannot list the addresses in the container"},
		{{SYS_socket, AF_NETLINK, {"nshelper", "--pid", n, "--transparent", "/bin/true"}}, "netlink"},
		{{SYS_setns, ANY, {"nshelper", "--pid", n, "/bin/true"}}, "cannot enter the network namespace"},
		{{SYS_ioctl, ANY, {"nshelper", "--pid", n, "/bin/true"}},
		 "cannot find the user namespace that owns it"},
		{{SYS_capget, ANY, {"nshelper", "--pid", n, "/bin/true"}}, "cannot read the capabilities"},
		{{SYS_fcntl, ANY, {"nshelper", "--pid", n, "/bin/true"}}, "cannot hand descriptor"},
		{{SYS_prctl, PR_SET_DUMPABLE, {"nshelper", "--pid", n, "/bin/true"}}, "cannot forbid tracing"},
		{{SYS_prctl, PR_SET_NO_NEW_PRIVS, {"nshelper", "--pid", n, "/bin/true"}},
		 "cannot set no-new-privileges"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct refused_run r = cases[k].run;
		_cleanup_close_ int fd = -1;
		pid_t child = start_child(0, run_refused, &r, &fd);
		struct outcome o;

		collect(child, fd, &o);
		assert_int_equal(o.status, 1);
		expect_text(&o, cases[k].says);
	}
}

/* The kernel's acknowledgement does not come. */
static const struct {
	int call, error, code;
} silences[] = {
	{SYS_recvfrom, EAGAIN, ETIMEDOUT}, {SYS_recvfrom, EINTR, ENOBUFS},
	{SYS_recvfrom, EIO, EIO},	   {SYS_sendto, EIO, EIO},
	{SYS_setsockopt, EIO, EIO},	   {SYS_socket, EACCES, EACCES},
};

static bool is_silent(void)
{
	const struct in_addr a = {htonl(INADDR_LOOPBACK)};
	struct error err = {}, other = {};

	refuse_call(silences[at].call, silences[at].error);
	return routes_install(1, 1000, &err) == -1 && err.code == silences[at].code &&
	       strstr(err.text, "--transparent") && routes_add_local(AF_INET, &a, &a, &other) == -1 &&
	       other.code == silences[at].code && strstr(other.text, "--outside-source");
}

static void a_silent_kernel_is_told(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(silences) / sizeof(*silences); at++) {
		if (!child_says(is_silent))
			fail_msg("silence %zu", at);
	}
}

/* A number that does not fit is cut nowhere. */
static void a_number_is_read_as_a_whole(void **state)
{
	struct identity i = {};
	struct error err = {};

	(void)state;
	assert_int_equal(identity_find("000000000000010:5", &i, &err), 0);
	assert_int_equal(i.uid, 10);
	assert_int_equal(i.gid, 5);
	assert_int_equal(identity_find("0000000000000010:5", &i, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(identity_find("4294967294:4294967294", &i, &err), 0);
	assert_int_equal(identity_find("4294967295:1", &i, &err), -1);
	assert_int_equal(identity_find("1:4294967295", &i, &err), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_is_named),
		cmocka_unit_test(what_cannot_be_arranged_ends_it),
		cmocka_unit_test(a_silent_kernel_is_told),
		cmocka_unit_test(a_number_is_read_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
