/* units/render.c: no value changes what a unit says. */
#include "tests/unit/render_fixture.h"

/* Everything that means something to systemd, JSON or a shell, and what is no text at all. */
static const char *const nasty[] = {
	"%n",
	"%%",
	"100%",
	"$HOME",
	"${HOME}",
	"$$",
	"a\"b",
	"a'b",
	"'",
	"\"",
	"\\",
	"a\\",
	"\\n",
	"\\x41",
	"a b",
	" a ",
	";",
	"a ; b",
	"a\tb",
	"#x",
	"[Service]",
	"a\nExecStart=/bin/sh",
	"a\\\nExecStart=/bin/sh",
	"a\rb",
	"a\x1b[31m",
	"\xff\xfe",
	"\xc3\x28",
	"\xe2\x80\xa8x",
	"\xc3\xa4\xe2\x82\xac",
	"-",
	"--",
	"-- /bin/sh",
	"--name=x",
	"@x",
	"!x",
	"{\"name\":\"x\"}",
	"unix:/run/%n $x \"y\" \\",
	"unix:/run/\xc3\xa4",
	"/run/%n.sock",
	"/run/$x'\"\\y",
	"http:/%n?a=$b&c='d'\"e\"\\",
	"cmd \"$X\" '%n' \\\\ ; `id` | {container_port} && \t exit 1",
};

static size_t count_lines(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

static void assert_no_line_continues(const char *unit)
{
	for (const char *p = unit; (p = strchr(p, '\n')); p++)
		assert_true(p == unit || p[-1] != '\\');
	for (const char *p = unit; *p; p++)
		assert_true(*p == '\n' || (unsigned char)*p >= ' ');
}

/* Either the value is refused, or the units have the same lines as with a harmless one and the programs get it as it
 * is. */
static bool survives(struct instance *i, const char *value, size_t lines)
{
	struct rendered r = {};
	struct error err;
	bool found = false;

	if (units_render(i, &r, &err) < 0) {
		rendered_clear(&r);
		return false;
	}
	assert_int_equal(count_lines(r.service), lines);
	assert_no_line_continues(r.service);
	assert_no_line_continues(r.socket);
	for (size_t k = 0; k < 3; k++) {
		_cleanup_free_ char *line = value_of(r.service, k ? "ExecStopPost" : "ExecStart", k ? k - 1 : 0);
		_cleanup_(words_clear) struct words w = line ? split(line) : (struct words){};

		found |= has_word(&w, value);
	}

	_cleanup_free_ char *config = value_of(r.service, "X-InstanceConfig", 0);
	_cleanup_instance_ struct instance back = {};

	if (instance_from_json(config, &back, &err) < 0)
		fail_msg("%s: %s", config, err.text);
	rendered_clear(&r);
	if (!found)
		fail_msg("'%s' did not reach any program", value);
	return true;
}

static char **member_of(struct instance *i, size_t k)
{
	char **members[] = {&i->name,
			    &i->container_name,
			    &i->engine_socket,
			    &i->unit,
			    &i->startup_timeout,
			    &i->idle_timeout,
			    &i->health_check,
			    &i->user,
			    &i->keepalive,
			    &i->drain_timeout,
			    &i->proxy_protocol,
			    &i->connection_timeout,
			    &i->flow_timeout,
			    &i->hold,
			    &i->ignore_from[0],
			    &i->targets[0],
			    &i->no_wake_from[0],
			    &i->no_hold_from[0],
			    &i->dependencies[0].container,
			    &i->dependencies[0].health_check,
			    &i->dependencies[1].unit};

	return k < sizeof(members) / sizeof(*members) ? members[k] : NULL;
}

static void no_value_changes_what_a_unit_says(void **state)
{
	_cleanup_instance_ struct instance harmless = full_instance();
	_cleanup_rendered_ struct rendered r = render(&harmless);
	size_t lines = count_lines(r.service), accepted = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(nasty) / sizeof(*nasty); k++) {
		for (size_t m = 0;; m++) {
			_cleanup_instance_ struct instance i = full_instance();
			char **member;

			free(i.targets[1]);
			i.targets[1] = NULL;
			i.transparent = false;
			i.ports[1].type = SOCK_STREAM;
			member = member_of(&i, m);
			if (!member)
				break;
			free(*member);
			*member = strdup(nasty[k]);
			accepted += survives(&i, nasty[k], lines);
		}
	}
	/* the health check takes most of them, the paths some */
	assert_true(accepted > 25);
}

static void no_path_changes_what_a_socket_says(void **state)
{
	_cleanup_instance_ struct instance harmless = small_instance("pg");
	size_t lines;

	(void)state;
	strcpy(harmless.ports[0].path, "/run/x");

	_cleanup_rendered_ struct rendered r = render(&harmless);

	lines = count_lines(r.socket);
	for (size_t k = 0; k < sizeof(nasty) / sizeof(*nasty); k++) {
		_cleanup_instance_ struct instance i = small_instance("pg");
		_cleanup_rendered_ struct rendered n = {};
		struct error err;

		snprintf(i.ports[0].path, sizeof(i.ports[0].path), "/run/%s", nasty[k]);
		if (units_render(&i, &n, &err) < 0)
			continue;
		assert_int_equal(count_lines(n.socket), lines);
		assert_no_line_continues(n.socket);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_value_changes_what_a_unit_says),
		cmocka_unit_test(no_path_changes_what_a_socket_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
