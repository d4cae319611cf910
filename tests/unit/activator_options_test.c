/* The activator's command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "activator/options.h"
#include "common/clock.h"

#define MAX 48

static int parse(struct options *ret, struct error *err, const char *const *words)
{
	static char *argv[MAX];
	int argc = 0;

	argv[argc++] = (char *)"activator";
	for (; *words; words++)
		argv[argc++] = (char *)*words;
	argv[argc] = NULL;
	*err = (struct error){};
	return activator_options_parse(argc, argv, ret, err);
}

#define PARSE(...) parse(&o, &err, (const char *const[]){__VA_ARGS__, NULL})
#define NAMED	   "--name", "t", "--container", "x"

static void what_is_given(void **state)
{
	struct options o;
	struct error err;

	(void)state;
	assert_int_equal(PARSE("--scope", "user", NAMED, "--backend", "podman", "--engine-socket", "/s", "--unit",
			       "x.service", "--idle-action", "pause", "--keep-running", "--startup-timeout", "7s",
			       "--healthy", "--recent", "3s", "--with", "a", "--with-unit", "a.service", "--with-port",
			       "80", "--with", "b", "--with-health-check", "http", "--with-keep-running", "--", "n",
			       "p", "--health-check", "redis"),
			 0);
	assert_int_equal(o.mode, MODE_WAKE);
	assert_int_equal(o.scope, SCOPE_USER);
	assert_string_equal(o.name, "t");
	assert_string_equal(o.container, "x");
	assert_int_equal(o.backend, BACKEND_PODMAN);
	assert_string_equal(o.engine_socket, "/s");
	assert_string_equal(o.unit, "x.service");
	assert_true(o.idle_pause && o.keep_running && o.healthy);
	assert_int_equal(o.startup_timeout, 7 * USEC_PER_SEC);
	assert_int_equal(o.recent, 3 * USEC_PER_SEC);
	assert_int_equal(o.n_dependencies, 2);
	assert_string_equal(o.dependencies[0].container, "a");
	assert_string_equal(o.dependencies[0].unit, "a.service");
	assert_int_equal(o.dependencies[0].port, 80);
	assert_false(o.dependencies[0].keep_running);
	assert_null(o.dependencies[0].health_check);
	assert_string_equal(o.dependencies[1].container, "b");
	assert_null(o.dependencies[1].unit);
	assert_string_equal(o.dependencies[1].health_check, "http");
	assert_true(o.dependencies[1].keep_running);
	assert_string_equal(o.command[0], "n");
	assert_string_equal(o.health_check, "redis");
	assert_int_equal(PARSE("--scope", "system", NAMED, "--backend", "docker", "--idle-action", "stop"), 0);
	assert_int_equal(o.scope, SCOPE_SYSTEM);
	assert_int_equal(o.backend, BACKEND_DOCKER);
	assert_false(o.idle_pause);
}

static void what_is_not_given(void **state)
{
	struct options o;
	struct error err;

	(void)state;
	assert_int_equal(PARSE(NAMED), 0);
	assert_int_equal(o.mode, MODE_WAKE);
	assert_int_equal(o.startup_timeout, 30 * USEC_PER_SEC);
	assert_int_equal(o.because, EVENT_STOP);
	assert_null(o.unit);
	assert_null(o.engine_socket);
	assert_null(o.health_check);
	assert_false(o.idle_pause || o.keep_running || o.healthy || o.started);
	assert_int_equal(o.n_dependencies + o.recent, 0);
}

static void modes(void **state)
{
	static const struct {
		const char *word;
		enum event event;
	} events[] = {{"idle", EVENT_IDLE}, {"failed", EVENT_FAILED}, {"stop", EVENT_STOP}};
	struct options o;
	struct error err;

	(void)state;
	assert_int_equal(PARSE("--sleep", NAMED), 0);
	assert_int_equal(o.mode, MODE_SLEEP);
	assert_int_equal(PARSE("--follow", NAMED), 0);
	assert_int_equal(o.mode, MODE_FOLLOW);
	assert_int_equal(PARSE("--sleep", "--wake", NAMED), 0);
	assert_int_equal(o.mode, MODE_WAKE);
	assert_int_equal(PARSE("--notify", "started", "--name", "t", "--user", "u"), 0);
	assert_int_equal(o.mode, MODE_NOTIFY);
	assert_true(o.started);
	assert_string_equal(o.user, "u");
	assert_int_equal(PARSE("--notify", "stopped", "--name", "t", "--user", "u"), 0);
	assert_false(o.started);
	for (size_t k = 0; k < 3; k++) {
		assert_int_equal(PARSE("--sleep", NAMED, "--because", events[k].word), 0);
		assert_int_equal(o.because, events[k].event);
	}
}

static void names_of_units(void **state)
{
	char name[258], *suffix;
	struct options o;
	struct error err;

	(void)state;
	memset(name, 'n', sizeof(name));
	suffix = name + 255 - strlen(".service");
	strcpy(suffix, ".service");
	assert_int_equal(PARSE(NAMED, "--unit", name), 0);
	memset(name, 'n', sizeof(name));
	strcpy(suffix + 1, ".service");
	assert_int_equal(PARSE(NAMED, "--unit", name), -1);
	assert_int_equal(PARSE(NAMED, "--unit", "n.service"), 0);
	assert_int_equal(PARSE(NAMED, "--unit", ".service"), -1);
	assert_int_equal(PARSE(NAMED, "--unit", "service"), -1);
	assert_int_equal(PARSE(NAMED, "--unit", "a b.service"), -1);
	assert_int_equal(PARSE(NAMED, "--unit", "a.service.d"), -1);
	assert_int_equal(PARSE(NAMED, "--with", "q", "--with-unit", ".service", "--", "n"), -1);
	assert_non_null(strstr(err.text, "--with-unit '.service' is not the name of a service"));
}

static void what_is_wrong(void **state)
{
	struct options o;
	struct error err;

#define WRONG(words, ...)                                                                                              \
	assert_int_equal(PARSE(__VA_ARGS__), -1);                                                                      \
	if (!strstr(err.text, words))                                                                                  \
	fail_msg("'%s' does not say '%s'", err.text, words)

	(void)state;
	WRONG("--name must give", "--container", "x");
	WRONG("--name must give", "--name", "a/b", "--container", "x");
	WRONG("--container must give", "--name", "t");
	WRONG("--container must give", "--name", "t", "--container", "a b");
	WRONG("--user must name", "--notify", "started", "--name", "t");
	WRONG("--user must name", "--notify", "started", "--name", "t", "--user", "");
	WRONG("'y' is one argument too many", "--sleep", NAMED, "--", "y");
	WRONG("after --with must follow", NAMED, "--with", "a");
	WRONG("--with", NAMED, "--with-port", "1");
	WRONG("--backend", NAMED, "--backend", "lxc");
	WRONG("--scope", NAMED, "--scope", "all");
	WRONG("--idle-action", NAMED, "--idle-action", "kill");
	WRONG("--notify", "--notify", "killed");
	WRONG("--because", NAMED, "--because", "x");
	WRONG("--recent", NAMED, "--recent", "x");
	WRONG("--startup-timeout", NAMED, "--startup-timeout", "x");
	WRONG("the option '--nothing' is not known", NAMED, "--nothing");
	WRONG("the option '--unit' lacks its value", NAMED, "--unit");
	assert_int_equal(PARSE("--sleep", NAMED, "--with", "a"), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_given),  cmocka_unit_test(what_is_not_given), cmocka_unit_test(modes),
		cmocka_unit_test(names_of_units), cmocka_unit_test(what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
