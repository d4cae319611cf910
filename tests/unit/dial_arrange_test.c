/* dial/outside.h: which targets are dialled from which source, and who counts as a local client, by tables. */
#include "tests/unit/proxy_fixture.h"
#include "tests/unit/refusal_fixture.h"
#include "tests/unit/shortage.h"

#include <sched.h>

#include "dial/outside.h"
#include "dial/sock_diag.h"
#include "handover/outside.h"
#include "tests/unit/address_fixture.h"

#define OWN_IPV4 "10.9.8.7"
#define OWN_IPV6 "fd00:9::7"

static struct sockaddr_in source4;
static struct sockaddr_in6 source6;
static struct in6_addr own[2];

static struct outside outside_of(enum outside_kind kind, bool ipv6)
{
	source4 = address_of(OUTSIDE_IPV4, 0).in;
	source6 = address_of(OUTSIDE_IPV6, 0).in6;
	own[0] = address_of("::ffff:" OWN_IPV4, 0).in6.sin6_addr;
	own[1] = address_of(OWN_IPV6, 0).in6.sin6_addr;
	return (struct outside){.kind = kind, .ipv4 = &source4, .ipv6 = ipv6 ? &source6 : NULL, .own = own, .n_own = 2};
}

/* What becomes of a target. */
#define GONE  "gone"  /* it is not dialled */
#define PLAIN "plain" /* dialled, from a source that the kernel chooses */

static void targets(void **state)
{
	static const struct {
		enum outside_kind kind;
		bool ipv6, named;
		const char *target, *source, *becomes; /* NULL: stays as it is */
	} cases[] = {
		{OUTSIDE_NOTHING, true, false, "127.0.0.1", PLAIN, NULL},
		{OUTSIDE_NOTHING, true, false, "0.0.0.0", PLAIN, NULL},
		/* */
		{OUTSIDE_HOSTS_NETWORK, true, false, "127.0.0.1", GONE, NULL},
		{OUTSIDE_HOSTS_NETWORK, true, false, "127.255.0.9", GONE, NULL},
		{OUTSIDE_HOSTS_NETWORK, true, false, "::1", GONE, NULL},
		{OUTSIDE_HOSTS_NETWORK, true, false, "128.0.0.1", PLAIN, NULL},
		{OUTSIDE_HOSTS_NETWORK, true, true, "127.0.0.1", PLAIN, NULL},
		{OUTSIDE_HOSTS_NETWORK, true, true, "::1", PLAIN, NULL},
		{OUTSIDE_HOSTS_NETWORK, true, true, "0.0.0.0", GONE, NULL},
		{OUTSIDE_HOSTS_NETWORK, true, true, "::", GONE, NULL},
		{OUTSIDE_HOSTS_NETWORK, true, true, "::ffff:0.0.0.0", GONE, NULL},
		{OUTSIDE_HOSTS_NETWORK, true, true, "::ffff:1.0.0.0", PLAIN, NULL},
		{OUTSIDE_HOSTS_NETWORK, true, true, "/run/x.sock", PLAIN, NULL},
		/* */
		{OUTSIDE_SOURCES, true, false, "127.0.0.1", OUTSIDE_IPV4, NULL},
		{OUTSIDE_SOURCES, true, false, "::1", OUTSIDE_IPV6, NULL},
		{OUTSIDE_SOURCES, false, false, "::1", GONE, NULL},
		{OUTSIDE_SOURCES, false, false, "127.0.0.1", OUTSIDE_IPV4, NULL},
		{OUTSIDE_SOURCES, true, false, "/run/x.sock", PLAIN, NULL},
		{OUTSIDE_SOURCES, true, true, "127.0.0.1", PLAIN, NULL}, /* as was asked for */
		{OUTSIDE_SOURCES, true, true, "::1", PLAIN, NULL},
		{OUTSIDE_SOURCES, true, true, "0.0.0.0", OUTSIDE_IPV4, "127.0.0.1"},
		{OUTSIDE_SOURCES, true, true, "::", OUTSIDE_IPV6, "::1"},
		{OUTSIDE_SOURCES, true, true, OWN_IPV4, OUTSIDE_IPV4, NULL},
		{OUTSIDE_SOURCES, true, true, OWN_IPV6, OUTSIDE_IPV6, NULL},
		{OUTSIDE_SOURCES, false, true, OWN_IPV6, GONE, NULL},
		{OUTSIDE_SOURCES, true, true, OUTSIDE_IPV4, OUTSIDE_IPV4, NULL},
		{OUTSIDE_SOURCES, true, true, OUTSIDE_IPV6, OUTSIDE_IPV6, NULL},
		{OUTSIDE_SOURCES, true, true, "203.0.113.9", PLAIN, NULL}, /* another machine */
		{OUTSIDE_SOURCES, true, true, "2001:db8::9", PLAIN, NULL},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct outside o = outside_of(cases[k].kind, cases[k].ipv6);
		struct address a = address_of(cases[k].target, 0);
		struct address b = address_of(cases[k].becomes ? cases[k].becomes : cases[k].target, 0);
		struct target t = {.addr = a.storage, .len = a.len};
		const void *source = strcmp(cases[k].source, OUTSIDE_IPV4) == 0	  ? (const void *)&source4
				     : strcmp(cases[k].source, OUTSIDE_IPV6) == 0 ? (const void *)&source6
										  : NULL;
		struct error err = {};
		size_t n = 1;
		int r = outside_arrange(&o, cases[k].named, &t, &n, &err);

		if (strcmp(cases[k].source, GONE) == 0) {
			assert_int_equal(r, -1);
			assert_int_equal(err.code, EADDRNOTAVAIL);
			assert_int_equal(n, 0);
			assert_true(!strstr(err.text, "the host") == (cases[k].kind != OUTSIDE_HOSTS_NETWORK));
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(n, 1);
		if (t.source != source)
			fail_msg("case %zu: %s", k, cases[k].target);
		assert_int_equal(t.source_len, !source ? 0 : source == &source4 ? sizeof(source4) : sizeof(source6));
		assert_memory_equal(&t.addr, &b.storage, b.len);
	}
}

/* The others stay, in their order. */
static void one_that_is_not_dialled_leaves_the_others(void **state)
{
	struct outside o = outside_of(OUTSIDE_SOURCES, false);
	static const char *const texts[] = {"::1", "127.0.0.1", "::2", "127.0.0.2"};
	struct target list[4];
	struct error err;
	size_t n = 4;

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct address a = address_of(texts[k], 0);

		list[k] = (struct target){.addr = a.storage, .len = a.len};
	}
	assert_int_equal(outside_arrange(&o, false, list, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(((struct sockaddr_in *)&list[0].addr)->sin_addr.s_addr, inet_addr("127.0.0.1"));
	assert_int_equal(((struct sockaddr_in *)&list[1].addr)->sin_addr.s_addr, inet_addr("127.0.0.2"));
}

static void clients(void **state)
{
	static const struct {
		const char *client;
		bool inside;
		const char *shown;
	} cases[] = {
		{"127.0.0.1", true, OUTSIDE_IPV4},
		{"127.9.9.9", true, OUTSIDE_IPV4},
		{"128.0.0.1", false, "128.0.0.1"},
		{OWN_IPV4, true, OUTSIDE_IPV4},
		{"10.9.8.6", false, "10.9.8.6"},
		{"::1", true, OUTSIDE_IPV6},
		{"::2", false, "::2"},
		{OWN_IPV6, true, OUTSIDE_IPV6},
		{"::ffff:127.0.0.1", true, "::ffff:" OUTSIDE_IPV4},
		{"::ffff:" OWN_IPV4, true, "::ffff:" OUTSIDE_IPV4},
		{"::ffff:9.9.9.9", false, "::ffff:9.9.9.9"},
	};
	struct address local = address_of("/run/x.sock", 0);

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct outside o = outside_of(OUTSIDE_SOURCES, true);
		struct address a = address_of(cases[k].client, 77), shown = address_of(cases[k].shown, 77), plain = a;

		assert_int_equal(outside_is_inside(&o, &a.storage), cases[k].inside);
		outside_disguise(&o, &a.storage);
		assert_memory_equal(&a.storage, &shown.storage, shown.len);
		o.kind = OUTSIDE_HOSTS_NETWORK;
		assert_false(outside_is_inside(&o, &plain.storage));
		o.kind = OUTSIDE_SOURCES;
		assert_false(outside_is_inside(&o, &local.storage));
	}
}

static int listens_on(const char *address)
{
	struct address a = address_of(address, 0);
	int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, &a.any, a.len), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* A server that is not dialled because it listens on the host's loopback. */
static void what_is_missed(void **state)
{
	static const struct {
		enum outside_kind kind;
		const char *listens;
		bool missed;
	} cases[] = {
		{OUTSIDE_HOSTS_NETWORK, "127.0.0.1", true},
		{OUTSIDE_HOSTS_NETWORK, "::1", true},
		{OUTSIDE_HOSTS_NETWORK, "127.0.0.2", false},
		{OUTSIDE_SOURCES, "127.0.0.1", false},
		{OUTSIDE_NOTHING, "::1", false},
	};
	struct error err;
	int diag = sock_diag_open(SOCK_STREAM, &err);

	(void)state;
	assert_true(diag >= 0);
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct outside o = outside_of(cases[k].kind, true);
		int fd = listens_on(cases[k].listens);
		uint16_t port = port_of(fd);

		assert_int_equal(outside_misses(&o, diag, SOCK_STREAM, port), cases[k].missed);
		assert_false(outside_misses(&o, -1, SOCK_STREAM, port));
		close(fd);
		assert_false(outside_misses(&o, diag, SOCK_STREAM, port));
	}
	close(diag);
}

/* The preparation, and what it lacks. */
static struct {
	const char *sources;
	bool list_own;
	int call; /* that is refused; -1: none; 0: memory runs out */
	int r;
	enum outside_kind kind;
} openings[] = {
	{NULL, true, -1, 0, OUTSIDE_NOTHING},
	{"host", true, -1, 0, OUTSIDE_HOSTS_NETWORK},
	{"nonsense", true, -1, -1, OUTSIDE_NOTHING},
	{OUTSIDE_IPV4, true, -1, 0, OUTSIDE_SOURCES},
	{OUTSIDE_IPV4 "," OUTSIDE_IPV6, false, -1, 0, OUTSIDE_SOURCES},
	{OUTSIDE_IPV4, true, SYS_mmap, -1, OUTSIDE_SOURCES},
	{OUTSIDE_IPV4, true, SYS_mprotect, -1, OUTSIDE_SOURCES},
	{OUTSIDE_IPV4, true, SYS_socket, -1, OUTSIDE_SOURCES},
	{OUTSIDE_IPV4, false, SYS_socket, 0, OUTSIDE_SOURCES},
	{OUTSIDE_IPV4, true, 0, -1, OUTSIDE_SOURCES},
};

static size_t at;

static bool opens_so(void)
{
	struct error err = {};
	struct outside o;
	int r;

	if (openings[at].sources)
		setenv("SOCKWAKE_SOURCES", openings[at].sources, 1);
	if (openings[at].call == 0)
		shortage_after(0);
	else if (openings[at].call > 0)
		refuse_call(openings[at].call, EIO);
	r = outside_open(&o, openings[at].list_own, &err);
	if (r != openings[at].r || (r < 0) != (err.text[0] != '\0'))
		return false;
	if (r == 0 && o.kind == OUTSIDE_SOURCES &&
	    (!o.ipv4 || !o.ipv6 != !strchr(openings[at].sources, ',') || !o.own == openings[at].list_own))
		return false;
	return r < 0 || o.kind == openings[at].kind;
}

static void preparations(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(openings) / sizeof(*openings); at++) {
		if (!child_says(opens_so))
			fail_msg("case %zu", at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets),	cmocka_unit_test(one_that_is_not_dialled_leaves_the_others),
		cmocka_unit_test(clients),	cmocka_unit_test(what_is_missed),
		cmocka_unit_test(preparations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
