/* Who notifies a person is that person first. */
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "activator/notify.h"
#include "tests/unit/refusal_fixture.h"

#define NOBODY "nobody"

/* A step to become that user, and whether it is taken at all. */
static const struct {
	const char *user;
	int call;	  /* that is refused, or 0 */
	const char *says; /* NULL: success */
} cases[] = {
	{NOBODY, 0, NULL},
	{NOBODY, SYS_setgroups, "cannot become the user 'nobody'"},
	{NOBODY, SYS_setresgid, "cannot become the user 'nobody'"},
	{NOBODY, SYS_setresuid, "cannot become the user 'nobody'"},
	{"root", 0, NULL},
	{"root", SYS_setgroups, NULL}, /* who is that user already changes nothing */
	{"no.such", 0, "there is no user 'no.such' to notify"},
};

static size_t at;

static bool is_so(void)
{
	const struct options o = {.name = "t", .user = cases[at].user, .started = true};
	const struct passwd *pw = getpwnam(cases[at].user);
	struct error err = {};
	int r;

	if (cases[at].call)
		refuse_call(cases[at].call, EPERM);
	r = notify_person(&o, &err);
	if (cases[at].says)
		return r == -1 && strstr(err.text, cases[at].says);
	return r == 0 && geteuid() == pw->pw_uid && getuid() == pw->pw_uid && getegid() == pw->pw_gid;
}

static void whose_process_it_becomes(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(cases) / sizeof(*cases); at++) {
		if (!child_says(is_so))
			fail_msg("case %zu", at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_process_it_becomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
