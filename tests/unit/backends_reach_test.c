/* backends/reach.h: who sees the host's processes, and when that matters. */
#include "tests/unit/proc_fixture.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "backends/reach.h"
#include "tests/unit/refusal_fixture.h"

#define COMMAND	 "pg_isready -p {container_port}"
#define OWN_PROC "413 418 0:4242 / /proc rw,nosuid - proc proc rw\n"
#define OTHERS                                                                                                         \
	"418 378 0:89 / / rw,relatime shared:1 - overlay overlay rw\n"                                                 \
	"434 413 0:4242 /bus /proc/bus ro,nosuid - proc proc rw\n"

static int setup(void **state)
{
	if (proc_setup(state) < 0)
		return -1;
	proc_say("self", "ns/pid", "host");
	proc_say("self", "mountinfo",
		 "22 1 8:1 / / rw - ext4 /dev/sda rw\n"
		 "23 22 0:21 / /proc rw shared:12 - proc proc rw\n"
		 "24 22 0:99 / /srv/a\\040b/proc rw - proc proc rw\n"
		 "25 22 0:98 / /var rw - tmpfs proc rw\n");
	proc_say("7", "ns/pid", "own");
	proc_say("7", "mountinfo", OWN_PROC OTHERS);
	return 0;
}

static bool refused(const struct container *c, bool own, const char *check, const char *text)
{
	struct error err;

	if (reach_check_at(proc, own, c, check, &err) == 0)
		return false;
	assert_int_equal(err.code, EPERM);
	assert_non_null(strstr(err.text, text));
	return true;
}

/* Of a container that does not see the host's processes nothing is refused. */
static void an_ordinary_container(void **state)
{
	struct container c = {.pid = 7, .name = "c", .may_trace = true};

	(void)state;
	assert_false(refused(&c, true, COMMAND, ""));
	c.pid = 0;
	assert_false(refused(&c, true, COMMAND, ""));
}

static void what_matters(void **state)
{
	static const char *const harmless[] = {"listen",  "postgres", "http",  "http:/x",
					       "healthy", "none",     "redis", NULL};
	struct container c = {.name = "c", .host_pid = true};

	(void)state;
	assert_true(refused(&c, false, COMMAND, "command of the health check"));
	for (size_t k = 0; k < sizeof(harmless) / sizeof(*harmless); k++) {
		c.may_trace = false;
		assert_false(refused(&c, true, harmless[k], ""));
		c.may_trace = true;
		assert_false(refused(&c, false, harmless[k], ""));
		assert_true(refused(&c, true, harmless[k], "CAP_SYS_PTRACE"));
		assert_false(reach_matters(harmless[k])); /* root's tests run root's programs */
	}
	assert_true(reach_matters(COMMAND));
}

/* The programs of an ordinary user may be root's, and then are not its own. */
static bool does_not_matter_to_another(void)
{
	return setresuid(1000, 1000, 1000) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0 && !reach_matters("listen") &&
	       reach_matters(COMMAND);
}

static void programs_of_another(void **state)
{
	(void)state;
	assert_true(geteuid() != 0 || child_says(does_not_matter_to_another));
}

static void what_is_mounted(void **state)
{
	static const struct {
		const char *source;
		bool sees;
	} cases[] = {
		{"/", true},	       {"/proc", true},		 {"/proc/1", true},	{"/srv", true},
		{"/srv/a b", true},    {"/srv/a b/proc", true},	 {"/processes", false}, {"/var", false},
		{"/srv/other", false}, {"/no/such/path", false},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		char *mounted[] = {(char[]){"/etc/hosts"}, strdup(cases[k].source), NULL};
		struct container c = {.pid = 7, .name = "c", .mounted = mounted};

		assert_int_equal(refused(&c, false, COMMAND, ""), cases[k].sees);
		free(mounted[1]);
	}
}

/* A path is followed first: -v /srv/link:/x mounts what it leads to. */
static void links_are_followed(void **state)
{
	char link[128], *mounted[] = {link, NULL};
	struct container c = {.pid = 7, .name = "c", .mounted = mounted};

	(void)state;
	snprintf(link, sizeof(link), "%s/link", proc);
	assert_int_equal(symlink("/proc", link), 0);
	assert_true(refused(&c, false, COMMAND, ""));
}

/* What the engine did not tell: the process shows it. */
static void the_process_itself(void **state)
{
	struct container c = {.pid = 7, .name = "c"};
	char text[512];
	struct stat st;

	(void)state;
	proc_say("7", "mountinfo", OWN_PROC OTHERS "500 418 0:99 / /hp rw - proc proc rw\n");
	assert_true(refused(&c, false, COMMAND, "")); /* the host's of a second mount, from a volume */
	assert_int_equal(stat(proc, &st), 0);
	snprintf(text, sizeof(text), "413 418 %u:%u / /proc rw - proc proc rw\n", major(st.st_dev), minor(st.st_dev));
	proc_say("7", "mountinfo", text);
	assert_true(refused(&c, false, COMMAND, "")); /* the host's in the place of its own */
	proc_say("7", "mountinfo", OWN_PROC OTHERS);
	assert_false(refused(&c, false, COMMAND, ""));
	proc_share("7", "self", "ns/pid");
	assert_true(refused(&c, false, COMMAND, "")); /* in a pod of the host's PID namespace */
	c.pid = 8;
	assert_true(refused(&c, false, COMMAND, "")); /* cannot be seen */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_ordinary_container, setup, proc_teardown),
		cmocka_unit_test_setup_teardown(what_matters, setup, proc_teardown),
		cmocka_unit_test(programs_of_another),
		cmocka_unit_test_setup_teardown(what_is_mounted, setup, proc_teardown),
		cmocka_unit_test_setup_teardown(links_are_followed, setup, proc_teardown),
		cmocka_unit_test_setup_teardown(the_process_itself, setup, proc_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
