/* The section [rules] of a configuration file. */
#include "tests/unit/rules_fixture.h"

#include <fcntl.h>

#include "common/io.h"
#include "rules/endpoint.h"

static int read_text(const char *text, size_t len, struct rules **ret, struct error *err)
{
	char path[] = "/tmp/rules-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	int r;

	assert_true(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	r = rules_read(path, ret, err);
	unlink(path);
	return r;
}

static void mistakes_are_named_with_their_line(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"[rules]\nprivileged\n", ":2: 'privileged' is not KEY = VALUE"},
		{"[rules]\n\n# x\nprivilegd = yes\n", ":4: there is no key 'privilegd'; did you mean 'privileged'?"},
		{"[rules]\nPrivileged = yes\n", ":2: there is no key 'Privileged'"},
		{"[rules]\nprivileged = true\n", ":2: 'true' is neither yes nor no"},
		{"[rules]\nprivileged =\n", ":2: 'privileged' has no value"},
		{"[rules]\n = x\n", ":2: there is no key ''"},
		{"[rules]\nallow = containers.list container.start\n",
		 ":2: there is no action 'container.start'; did you mean "
		 "'containers.start'?"},
		{"[rules]\nallow = *\n", ":2: there is no action '*'"},
		{"[rules]\nlabel = a\n", ":2: the label 'a' is not KEY=VALUE"},
		{"[rules]\nlabel = te$am=a\n", ":2: the key of the label 'te$am=a' has other characters"},
		{"[rules]\nlabel = =a\n", ":2: the label '=a' is not KEY=VALUE"},
		{"[rules]\nlabel = a=\n", ":2: the label 'a=' is not KEY=VALUE"},
		{"[rules]\nlabel = a=b\nlabel = c=d\n", ":3: there is a label already: 'a=b'"},
		{"[rules]\nbind = srv\n", ":2: 'srv' is not an absolute path"},
		{"[rules]\nbind = /srv/\n", ":2: '/srv/' is not an absolute path"},
		{"[rules]\nbind = /srv/../x\n", ":2: '/srv/../x' is not an absolute path"},
		{"[rules]\nbind = /srv//x\n", ":2: '/srv//x' is not"},
		{"[rules]\nbind = /srv/./x\n", ":2: '/srv/./x' is not"},
		{"[rules]\nbind = /srv*\n", ":2: '/srv*' is not"},
		{"[rules]\nbind = /*/x\n", ":2: '/*/x' is not"},
		{"[rules]\ndevice = /dev/*\n", ":2: '/dev/*' is not"},
		{"[rules]\nruntime = \x01\n", ":2: the line is not printable text"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct rules *r = NULL;
		struct error err = {};

		if (read_text(cases[k].text, strlen(cases[k].text), &r, &err) == 0)
			fail_msg("'%s' is accepted", cases[k].text);
		if (!strstr(err.text, cases[k].says))
			fail_msg("'%s' is not in '%s'", cases[k].says, err.text);
		assert_null(r);
	}
}

static void only_its_own_section_is_read(void **state)
{
	_cleanup_rules_ struct rules *none = NULL, *r = NULL;
	static const char text[] =
		"x\n[router]\nnonsense\n[rules]\nallow = containers.list\n\n  # c\n[other]\nprivileged = yes\n"
		"  [rules]\r\n\tallow\t=\tcontainers.start   containers.stop\n";
	struct error err;

	(void)state;
	assert_int_equal(read_text("[router]\nx = y\n", 15, &none, &err), 0);
	assert_null(none);
	assert_int_equal(read_text(text, strlen(text), &r, &err), 0);
	assert_true(rules_grant(r, RULES_ALLOW, "containers.list"));
	assert_true(rules_grant(r, RULES_ALLOW, "containers.start"));
	assert_true(rules_grant(r, RULES_ALLOW, "containers.stop"));
	assert_false(rules_grant(r, RULES_ALLOW, "containers.create"));
	assert_false(rules_grant(r, RULES_PRIVILEGED, "yes"));
	assert_null(rules_label(r));
	assert_int_equal(read_text("[rules]\n\0", 9, &none, &err), -1);
	assert_int_equal(rules_read("/nowhere/x", &none, &err), -1);
	assert_int_equal(err.code, ENOENT);
}

static void values_are_compared_exactly(void **state)
{
	_cleanup_rules_ struct rules *r = rules_of(
		"[rules]\nprivileged = yes\nulimits = no\nbind = /srv /data/*\nvolume = ci_*\nnetwork = ci_* container ca* cab\n"
		"security-option = seccomp apparmor=x\nlabel = a=b=c\nrestart = a*\ncapability = NET_*\n");
	static const struct {
		enum rules_key key;
		const char *value;
		bool granted, named;
	} cases[] = {
		{RULES_PRIVILEGED, "yes", true, true},
		{RULES_ULIMITS, "yes", false, false},
		{RULES_OOM, "yes", false, false},
		{RULES_BIND, "/srv", true, true},
		{RULES_BIND, "/srv/x", false, false},
		{RULES_BIND, "/srvx", false, false},
		{RULES_BIND, "/data", false, false},
		{RULES_BIND, "/data/x", true, false},
		{RULES_BIND, "/datax", false, false},
		{RULES_BIND_READ_ONLY, "/srv", false, false},
		{RULES_VOLUME, "ci_x", true, false},
		{RULES_VOLUME, "ci", false, false},
		{RULES_NETWORK, "ci_x", true, false},
		{RULES_NETWORK, "cafe_x", true, false},
		{RULES_NETWORK, "cafe", false, false}, /* the beginning of an ID */
		{RULES_NETWORK, "cab", true, true},
		{RULES_NETWORK, "host", false, false},
		{RULES_NETWORK, "container", true, true},
		{RULES_SECURITY_OPTION, "seccomp", true, true},
		{RULES_SECURITY_OPTION, "seccomp=unconfined", true, false},
		{RULES_SECURITY_OPTION, "seccompx=y", false, false},
		{RULES_SECURITY_OPTION, "apparmor=x", true, true},
		{RULES_SECURITY_OPTION, "apparmor=xy", false, false},
		{RULES_RESTART, "always", false, false},
		{RULES_CAPABILITY, "NET_ADMIN", false, false},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		if (rules_grant(r, cases[k].key, cases[k].value) != cases[k].granted ||
		    rules_names(r, cases[k].key, cases[k].value) != cases[k].named)
			fail_msg("%s = %s", rules_key_name(cases[k].key), cases[k].value);
	}
	assert_string_equal(rules_label(r), "a=b=c");
	assert_string_equal(rules_label_key(r), "a");
	assert_string_equal(rules_label_value(r), "b=c");
}

static void a_star_alone_is_no_host_namespace(void **state)
{
	_cleanup_rules_ struct rules *r = rules_of("[rules]\nnetwork = *\n");

	(void)state;
	assert_true(rules_grant(r, RULES_NETWORK, "x"));
	assert_true(rules_grant(r, RULES_NETWORK, "cafe"));
	assert_false(rules_grant(r, RULES_NETWORK, "host"));
	assert_false(rules_grant(r, RULES_NETWORK, "container"));
}

static void the_shortest_paths_and_prefixes(void **state)
{
	_cleanup_rules_ struct rules *r =
		rules_of("[rules]\nbind = /*\nbind-read-only = /\nnetwork = c*\ndevice = /\n");

	(void)state;
	assert_true(rules_grant(r, RULES_BIND, "/srv"));
	assert_false(rules_names(r, RULES_BIND, "/srv"));
	assert_true(rules_grant(r, RULES_BIND_READ_ONLY, "/"));
	assert_false(rules_grant(r, RULES_BIND_READ_ONLY, "/srv"));
	assert_true(rules_grant(r, RULES_DEVICE, "/"));
	assert_true(rules_grant(r, RULES_NETWORK, "cx"));
	assert_false(rules_grant(r, RULES_NETWORK, "cafe"));
}

static void each_key_has_a_name(void **state)
{
	(void)state;
	for (size_t k = 0; k < RULES_KEYS; k++)
		assert_non_null(rules_key_name((enum rules_key)k));
}

/* The page names each key and each action, and no others. */
static void the_page_names_all_keys_and_actions(void **state)
{
	const char *actions[ENDPOINT_ACTIONS_MAX];
	_cleanup_free_ char *page = NULL;
	size_t n = endpoint_actions(actions), named = 0;
	struct error err;
	char quoted[64];

	(void)state;
	if (file_read(AT_FDCWD, "docs/router-rules.md", 65536, &page, NULL, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t k = 0; k < n + RULES_KEYS; k++) {
		const char *name = k < n ? actions[k] : rules_key_name((enum rules_key)(k - n));

		snprintf(quoted, sizeof(quoted), "`%s`", name);
		if (!strstr(page, quoted) && k != n + RULES_LABEL)
			fail_msg("the page does not name %s", quoted);
	}
	/* Each row of actions in the first table: "`system.ping` …". */
	for (const char *p = strstr(page, "| the engine |"); p < strstr(page, "- `containers.exec` includes"); p++)
		named += strncmp(p, "` `", 3) == 0 || strncmp(p, "` |\n", 4) == 0;
	assert_int_equal(named, n);
}

static void what_was_learned_are_rules(void **state)
{
	_cleanup_report_ struct rules_report report = {};
	_cleanup_rules_ struct rules *r = NULL;
	_cleanup_free_ char *text = NULL, *file = NULL;
	struct error err;
	size_t len;
	FILE *f;

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		assert_int_equal(report_need(&report, RULES_ALLOW, "containers.list", &err), 0);
		assert_int_equal(report_need(&report, RULES_BIND, "/srv", &err), 0);
		assert_int_equal(report_need(&report, RULES_ANNOTATION, "a\nprivileged = yes", &err), 0);
	}
	assert_int_equal(report.n, 3);
	f = open_memstream(&text, &len);
	rules_learned_print(&report, f);
	fclose(f);
	assert_string_equal(
		text, "allow = containers.list\nbind = /srv\n# no rule can allow: annotation = a?privileged = yes\n");
	assert_true(asprintf(&file, "[rules]\n%s", text) > 0);
	r = rules_of(file);
	assert_true(rules_grant(r, RULES_BIND, "/srv"));
	assert_false(rules_grant(r, RULES_PRIVILEGED, "yes"));
	for (unsigned k = 0; k < 2000; k++) {
		char value[16];

		snprintf(value, sizeof(value), "%u", k);
		assert_int_equal(report_need(&report, RULES_SYSCTL, value, &err), 0);
	}
	assert_true(report.n < 1000);
}

/* What each method and path is; NULL: nothing that a rule could allow. */
static void requests_have_one_action(void **state)
{
	static const struct {
		const char *method, *target, *action, *object;
	} cases[] = {
		{"GET", "/containers/json", "containers.list", ""},
		{"GET", "/containers/json/json", "containers.inspect", "json"},
		{"GET", "/containers/create/json", "containers.inspect", "create"},
		{"DELETE", "/containers/prune", "containers.remove", "prune"},
		{"POST", "/containers/prune", "containers.prune", ""},
		{"POST", "/containers/a/b/start", NULL, NULL},
		{"POST", "/containers/-a/start", NULL, NULL},
		{"POST", "/containers/a", NULL, NULL},
		{"POST", "/containers/a/logs/clear", NULL, NULL},
		{"POST", "/containers/a/copy", NULL, NULL},
		{"GET", "/containers/a/attach/ws", NULL, NULL},
		{"HEAD", "/containers/a/archive", "containers.copy-from", "a"},
		{"GET", "/images/json", "images.list", ""},
		{"GET", "/images/a/b:c/json", "images.inspect", "a/b:c"},
		{"GET", "/images/json/json", "images.inspect", "json"},
		{"GET", "/images/get", "images.save", ""},
		{"GET", "/images/a/get", "images.save", "a"},
		{"POST", "/images/create", "images.pull", ""},
		{"POST", "/images/create?fromSrc=-", "images.import", ""},
		{"POST", "/images/create?fromImage=x", "images.pull", ""},
		{"POST", "/images/a/b/push", "images.push", "a/b"},
		{"POST", "/images/push", NULL, NULL},
		{"DELETE", "/images/a/b@sha256:c", "images.remove", "a/b@sha256:c"},
		{"POST", "/build", "images.build", ""},
		{"POST", "/session", "images.build", ""},
		{"POST", "/build/prune", "images.build-prune", ""},
		{"PUT", "/volumes/a", NULL, NULL},
		{"GET", "/swarm", NULL, NULL},
		{"POST", "/plugins/pull", NULL, NULL},
		{"GET", "/debug/pprof", NULL, NULL},
		{"GET", "/libpod/_ping", NULL, NULL},
		{"GET", "/libpod/containers/json", NULL, NULL},
		{"TRACE", "/_ping", NULL, NULL},
		{"GE", "/_ping", NULL, NULL},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_uri_ struct uri uri = {};
		char object[URI_PATH_MAX];
		const struct endpoint *e;
		struct error err;

		assert_int_equal(uri_parse(cases[k].target, &uri, &err), 0);
		e = endpoint_find(cases[k].method, &uri, object);
		if (!e != !cases[k].action || (e && strcmp(e->action, cases[k].action) != 0))
			fail_msg("%s %s is %s", cases[k].method, cases[k].target, e ? e->action : "nothing");
		if (e)
			assert_string_equal(object, cases[k].object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_named_with_their_line),
		cmocka_unit_test(only_its_own_section_is_read),
		cmocka_unit_test(values_are_compared_exactly),
		cmocka_unit_test(a_star_alone_is_no_host_namespace),
		cmocka_unit_test(the_shortest_paths_and_prefixes),
		cmocka_unit_test(each_key_has_a_name),
		cmocka_unit_test(the_page_names_all_keys_and_actions),
		cmocka_unit_test(what_was_learned_are_rules),
		cmocka_unit_test(requests_have_one_action),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
