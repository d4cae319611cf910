/* control/change.c: which changes of an instance ask the engine; control/dependencies.c: what stays as it was. */
#include "control/change.h"

#include <errno.h>

#include "backends/engine.h"
#include "control/dependencies.h"
#include "tests/unit/activator_fixture.h"
#include "tests/unit/instance_fixture.h"

#define WITH(...) ((struct dependency[]){{__VA_ARGS__}}[0])

static struct instance before, now;

static bool asks(void)
{
	struct create_request r = {.instance = now};

	return change_asks_engine(&before, &r);
}

static int begin(void **state)
{
	(void)state;
	before = small_instance("x");
	before.backend = BACKEND_DOCKER; /* which has no Quadlets */
	now = before;			 /* shares what it points to */
	return 0;
}

static void what_the_container_has_no_part_in(void **state)
{
	char *list[] = {(char *)"192.0.2.1", NULL}, *none[] = {NULL};

	(void)state;
	assert_false(asks());
	now.idle_timeout = now.startup_timeout = now.warm_for = now.keepalive = (char *)"7min";
	now.schedule = now.no_wake_from = now.no_hold_from = now.ignore_from = list;
	now.keep_running = now.no_selinux = true;
	now.workers = 3;
	now.proxy_protocol = (char *)"v2";
	now.hold = (char *)"data";
	now.targets = none;
	assert_false(asks());
}

static void what_it_decides(void **state)
{
	char *list[] = {(char *)"192.0.2.1", NULL};

	(void)state;
#define CHANGED(what)                                                                                                  \
	do {                                                                                                           \
		now = before;                                                                                          \
		what;                                                                                                  \
		assert_true(asks());                                                                                   \
	} while (0)
	CHANGED(now.ports[0].port++);
	CHANGED(now.ports[0].container_port++);
	CHANGED(now.n_ports = 2);
	CHANGED(now.targets = list);
	CHANGED(now.health_check = (char *)"healthy");
	CHANGED(now.idle_action = IDLE_PAUSE);
	CHANGED(now.transparent = true);
	CHANGED(now.no_boot = true);
	CHANGED(now.drop_publish = true);
	CHANGED(now.n_dependencies = 1; now.dependencies[0] = WITH(.container = (char *)"db"));
}

/* One that is given again has to be looked up again: its unit and its stop time-out are not known yet. */
static void dependencies_as_they_are(void **state)
{
	struct dependency db = WITH(.container = (char *)"db", .unit = (char *)"db.service", .port = 5432,
				    .health_check = (char *)"postgres", .stop_timeout = 10);

	(void)state;
	before.n_dependencies = now.n_dependencies = 1;
	before.dependencies[0] = now.dependencies[0] = db;
	assert_false(asks());
	now.dependencies[0].unit = NULL;
	assert_true(asks());
	now.dependencies[0] = db;
	now.dependencies[0].stop_timeout = 0;
	assert_true(asks());
	now.dependencies[0] = db;
	now.dependencies[0].port = 1;
	assert_true(asks());
	now.dependencies[0] = db;
	now.dependencies[0].health_check = NULL;
	assert_true(asks());
}

static int resolve(const struct fake_engine *f, const struct instance *old, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	struct create_request r = {.instance = now, .changes = true};
	const struct subject s = {};

	assert_int_equal(engine_open(BACKEND_DOCKER, SCOPE_SYSTEM, f->socket, &engine, err), 0);
	return dependencies_resolve(&r, old, NULL, engine, &s, err);
}

static void a_dependency_that_is_gone(void **state)
{
	START(f, SAY(NO_SUCH), SAY(NO_SUCH));
	struct error err;

	(void)state;
	before.n_dependencies = now.n_dependencies = 1;
	before.dependencies[0] = now.dependencies[0] = WITH(.container = (char *)"db", .stop_timeout = 10);
	assert_int_equal(resolve(&f, &before, &err), 0);
	assert_string_equal(requests(&f), "");
	/* Other ports may be those of the dependency. */
	now.ports[0].port++;
	assert_int_equal(resolve(&f, &before, &err), 0);
	assert_string_equal(requests(&f), "GET json");
	/* A new one must be there. */
	assert_int_equal(resolve(&f, NULL, &err), -1);
	assert_int_equal(err.code, ENOENT);
	fake_stop(&f);
}

static int end(void **state)
{
	(void)state;
	instance_clear(&before);
	return 0;
}

static int end_borrowing(void **state)
{
	before.n_dependencies = 0; /* which it does not own */
	return end(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end_borrowing)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_container_has_no_part_in),
		TEST(what_it_decides),
		TEST(dependencies_as_they_are),
		TEST(a_dependency_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
