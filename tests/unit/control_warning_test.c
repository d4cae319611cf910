/* control/warning.c: what would keep sleeping instances from waking, for a list of them. */
#include "control/warning.h"

#include "common/clock.h"
#include "tests/unit/activator_fixture.h"
#include "tests/unit/instance_fixture.h"

#define WITH_PORT                                                                                                      \
	reply("200", "{\"Id\":\"" ID "\",\"Name\":\"/x\",\"State\":{\"Status\":\"exited\"},\"HostConfig\":{"           \
		     "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"5432\"}]}},\"Config\":{}}")

static struct stored item;
static struct observation o;

static const char *look(const struct fake_engine *f, enum state state, const char *container, uint64_t limit)
{
	item = (struct stored){.instance = small_instance("x"), .enabled = true};
	item.instance.scope = SCOPE_SYSTEM;
	item.instance.backend = BACKEND_DOCKER;
	item.instance.engine_socket = strdup(f->socket);
	o = (struct observation){.stored = &item, .state = state};
	strcpy(o.container_state, container);
	warning_find_conflicts(&o, 1, limit);
	stored_clear(&item);
	return o.conflict;
}

static void a_port_that_its_container_publishes(void **state)
{
	START(f, SAY(WITH_PORT), SAY(inspection("exited", 0, STARTED, "")));

	(void)state;
	assert_string_equal(look(&f, STATE_ASLEEP, "exited", USEC_PER_SEC),
			    "the container 'x' publishes port 5432 itself and could not start while sockwake listens "
			    "there: create it without that port, or listen on another one");
	assert_string_equal(look(&f, STATE_ASLEEP, "exited", USEC_PER_SEC), "");
	assert_string_equal(requests(&f), "GET json GET json");
	/* Others have woken; the engine has nothing to say; the time is over. */
	assert_string_equal(look(&f, STATE_AWAKE, "running", USEC_PER_SEC), "");
	assert_string_equal(look(&f, STATE_ASLEEP, "missing", USEC_PER_SEC), "");
	assert_string_equal(look(&f, STATE_ASLEEP, "unknown", USEC_PER_SEC), "");
	assert_string_equal(look(&f, STATE_ASLEEP, "exited", 0), "");
	assert_string_equal(requests(&f), "");
	fake_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_port_that_its_container_publishes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
