/* The containers of --with in an instance: how they are spelled, kept and handed to the activator. */
#include "tests/unit/instance_fixture.h"

#include "common/clock.h"
#include "instance/dependency.h"
#include "instance/json.h"
#include "instance/validate.h"
#include "units/render.h"

static void assert_parsed(const char *text, const char *container, uint16_t port, const char *check)
{
	struct dependency d;
	struct error err;

	if (dependency_parse(text, &d, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(d.container, container);
	assert_int_equal(d.port, port);
	if (check)
		assert_string_equal(d.health_check, check);
	else
		assert_null(d.health_check);
	dependency_clear(&d);
}

static void spellings(void **state)
{
	static const char *const bad[] = {"",	   ":5432",	   "a b",	  "a/b:1",    "db:x",
					  "db:0",  "db:65536",	   "db:-1",	  "db:5432 ", "-db:5432",
					  "db: 1", "db:1x:listen", "db:123456789"};

	(void)state;
	assert_parsed("db", "db", 0, NULL);
	assert_parsed("db:", "db", 0, NULL);
	assert_parsed("db:5432", "db", 5432, NULL);
	assert_parsed("db:5432:postgres", "db", 5432, "postgres");
	assert_parsed("web:80:http:/up", "web", 80, "http:/up");
	assert_parsed("db::healthy", "db", 0, "healthy");
	assert_parsed("migrate::completed", "migrate", 0, "completed");
	assert_parsed("x.y_z-1:1:nc -z a:b {container_port}", "x.y_z-1", 1, "nc -z a:b {container_port}");
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
		struct error err = {};
		struct dependency d;

		if (dependency_parse(bad[k], &d, &err) == 0)
			fail_msg("accepted: '%s'", bad[k]);
		assert_true(err.text[0]);
		dependency_clear(&d);
	}
}

static const char *why_refused(const char *text)
{
	static struct error err;
	struct dependency d;

	assert_int_equal(dependency_parse(text, &d, &err), -1);
	dependency_clear(&d);
	return err.text;
}

/* A number that is cut short would be another one. */
static void long_numbers(void **state)
{
	(void)state;
	assert_non_null(strstr(why_refused("db:1234567"), "from 1 to 65535"));
	assert_non_null(strstr(why_refused("db:12345678"), "is not of the form CONTAINER"));
	assert_non_null(strstr(why_refused("db:00000080"), "is not of the form CONTAINER"));
}

static struct instance with(const char *a, const char *b)
{
	struct instance i = small_instance("app");
	struct error err;

	assert_int_equal(dependency_parse(a, &i.dependencies[i.n_dependencies++], &err), 0);
	if (b)
		assert_int_equal(dependency_parse(b, &i.dependencies[i.n_dependencies++], &err), 0);
	return i;
}

static void refused(const char *a, const char *b, const char *word)
{
	_cleanup_instance_ struct instance i = with(a, b);
	struct error err = {};

	if (instance_validate(&i, &err) == 0)
		fail_msg("accepted: %s %s", a, b ? b : "");
	if (!strstr(err.text, word))
		fail_msg("'%s' does not say '%s'", err.text, word);
}

static void refused_spelling(const char *text, const char *word)
{
	struct error err = {};
	struct dependency d;

	assert_int_equal(dependency_parse(text, &d, &err), -1);
	assert_non_null(strstr(err.text, word));
	dependency_clear(&d);
}

static void rules(void **state)
{
	_cleanup_instance_ struct instance good = with("db:5432:postgres", "cache"), unit = with("db", NULL),
					   many = with("db", NULL), job = with("m::completed", NULL);
	struct error err;

	(void)state;
	assert_int_equal(instance_validate(&good, &err), 0);
	assert_int_equal(instance_validate(&job, &err), 0);
	refused_spelling("m:completed", "--with m::completed");
	refused_spelling("db:healthy", "--with db::healthy");
	refused("m:80:completed", NULL, "--with m::completed");
	free(job.health_check);
	job.health_check = strdup("completed");
	assert_int_equal(instance_validate(&job, &err), -1);
	assert_non_null(strstr(err.text, "for a container of --with"));
	refused("app:1", NULL, "own container");
	refused("db:1", "db:2", "twice");
	refused("db::postgres", NULL, "needs a port");
	refused("db::http:/x", NULL, "needs a port");
	refused("db:1:", NULL, "health check");
	refused("db:1:a\nb", NULL, "health check");
	refused("db:1:http:x", NULL, "http:x");
	unit.dependencies[0].unit = strdup("db.socket");
	assert_int_equal(instance_validate(&unit, &err), -1);
	many.n_dependencies = INSTANCE_DEPENDENCIES_MAX + 1;
	assert_int_equal(dependencies_validate(&many, &err), -1);
	many.n_dependencies = 1;
}

static void through_json(void **state)
{
	_cleanup_instance_ struct instance i = with("db:5432:pg_isready -q \"$X\" '%n' \\", "cache"), back = {};
	_cleanup_free_ char *json = NULL, *again = NULL;
	struct error err;

	(void)state;
	i.dependencies[1].unit = strdup("cache\\x2d1.service");
	i.dependencies[1].stop_timeout = UINT64_MAX;
	json = instance_to_json(&i);
	if (instance_from_json(json, &back, &err) < 0)
		fail_msg("%s", err.text);
	again = instance_to_json(&back);
	assert_string_equal(json, again);
	assert_int_equal(back.n_dependencies, 2);
	assert_string_equal(back.dependencies[0].health_check, i.dependencies[0].health_check);
	assert_int_equal(back.dependencies[0].port, 5432);
	assert_null(back.dependencies[0].unit);
	assert_string_equal(back.dependencies[1].unit, "cache\\x2d1.service");
	assert_int_equal(back.dependencies[1].port, 0);
	assert_null(back.dependencies[1].health_check);
	assert_true(back.dependencies[1].stop_timeout == UINT64_MAX);
}

static void instances_of_before_have_none(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("app"), back = {};
	_cleanup_free_ char *json = instance_to_json(&i);
	_cleanup_rendered_ struct rendered r = {};
	struct error err;

	(void)state;
	assert_null(strstr(json, "\"with\""));
	assert_int_equal(instance_from_json(json, &back, &err), 0);
	assert_int_equal(back.n_dependencies, 0);
	assert_int_equal(units_render(&back, &r, &err), 0);
	assert_null(strstr(r.service, "--with"));
}

static void malformed_json(void **state)
{
	static const char *const bad[] = {"{}",
					  "\"db\"",
					  "[\"db\"]",
					  "[{}]",
					  "[{\"container\":1}]",
					  "[{\"container\":\"a b\"}]",
					  "[{\"container\":\"db\",\"port\":\"5432\"}]",
					  "[{\"container\":\"db\",\"port\":65536}]",
					  "[{\"container\":\"db\",\"port\":-1}]",
					  "[{\"container\":\"db\",\"health_check\":[]}]",
					  "[{\"container\":\"db\",\"unit\":\"x y.service\"}]",
					  "[{\"container\":\"app\"}]",
					  "[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]"};
	_cleanup_instance_ struct instance i = small_instance("app");
	_cleanup_free_ char *json = instance_to_json(&i);
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
		_cleanup_instance_ struct instance back = {};
		_cleanup_free_ char *text = NULL;

		assert_true(asprintf(&text, "{\"with\":%s,%s", bad[k], json + 1) > 0);
		if (instance_from_json(text, &back, &err) == 0)
			fail_msg("accepted: %s", bad[k]);
	}
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("there is no '%s' in\n%s", part, text);
}

static void in_the_unit(void **state)
{
	_cleanup_instance_ struct instance i = with("db:5432:postgres", "cache:1:100% \"$X\" \\"),
					   job = with("m::completed", NULL);
	_cleanup_rendered_ struct rendered with_job = {}, plain = {}, keeping = {}, adopted = {};
	struct error err;

	(void)state;
	i.dependencies[1].unit = strdup("cache.service");
	i.dependencies[0].stop_timeout = 100;
	assert_int_equal(units_render(&i, &plain, &err), 0);
	assert_has(plain.service, " --with db --with-port 5432 --with-health-check postgres --with cache --with-unit "
				  "cache.service --with-port 1 --with-health-check \"100%% \\\"$X\\\" \\\\\" -- ");
	assert_has(plain.service, "--sleep --name app ");
	/* A sleep must know jobs. */
	assert_int_equal(units_render(&job, &with_job, &err), 0);
	assert_has(with_job.service, " --with m --with-health-check completed -- ");
	assert_has(with_job.service, "--idle-action stop --with m --with-health-check completed\n");
	assert_has(plain.service, "--idle-action stop --with db --with cache --with-unit cache.service\n");
	/* 10 drain, 10 + 100 + 10 stop, 90 of the unit, 60 and twice 15 margin; the wake's time is that of all
	 * together */
	assert_has(plain.service, "TimeoutStopSec=310\n");
	assert_has(plain.service, "TimeoutStartSec=45\n");
	i.keep_running = true;
	assert_int_equal(units_render(&i, &keeping, &err), 0);
	assert_has(keeping.service, " --with db --with-keep-running --with-port");
	assert_has(keeping.service, " --with cache --with-unit cache.service --with-keep-running --with-port 1");
	i.keep_running = false;
	i.adopted = true;
	assert_int_equal(units_render(&i, &adopted, &err), 0);
	assert_has(adopted.service, " --with cache --with-unit cache.service --with-keep-running --with-port 1");
	assert_null(strstr(adopted.service, " --keep-running"));
}

static void for_people(void **state)
{
	_cleanup_instance_ struct instance i = with("db:5432:postgres", "cache");
	char text[DEPENDENCY_TEXT_MAX], line[DEPENDENCY_LINE_MAX];

	(void)state;
	assert_string_equal(dependency_line(&i, 0, line), " first wakes db:5432 (postgres)");
	assert_string_equal(dependency_line(&i, 1, line), "        then cache");
	assert_string_equal(dependency_format(&i.dependencies[0], text), "db:5432 (postgres)");
	assert_string_equal(dependency_format(&i.dependencies[1], text), "cache");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings),
		cmocka_unit_test(long_numbers),
		cmocka_unit_test(rules),
		cmocka_unit_test(through_json),
		cmocka_unit_test(instances_of_before_have_none),
		cmocka_unit_test(malformed_json),
		cmocka_unit_test(in_the_unit),
		cmocka_unit_test(for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
