/* control/stranger.c: somebody else's container with the name of a unit's own. Engine and service manager are fakes. */
#include "control/stranger.h"

#include "common/clock.h"
#include "control/note.h"
#include "control/observe.h"
#include "control/unattended.h"
#include "control/warning.h"
#include "tests/unit/fake_engine.h"
#include "tests/unit/instance_fixture.h"
#include "tests/unit/manager_fixture.h"

#define C "c.service"

static char noted[2048];

static void take_note(enum note_kind kind, const char *text)
{
	(void)kind;
	snprintf(noted, sizeof(noted), "%s", text);
}

static struct instance of_unit(enum backend_kind backend)
{
	struct instance i = small_instance("x");

	i.scope = SCOPE_USER;
	i.backend = backend;
	i.unit = strdup(C);
	return i;
}

static void whose_a_container_is(void **state)
{
	static const struct {
		const char *active;
		enum backend_kind backend;
		bool expected;
	} rows[] = {
		{"inactive", BACKEND_PODMAN, true},	 {"failed", BACKEND_PODMAN, true},
		{"active", BACKEND_PODMAN, false},	 {"activating", BACKEND_PODMAN, false},
		{"deactivating", BACKEND_PODMAN, false}, {"inactive", BACKEND_DOCKER, false},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		_cleanup_(instance_clear) struct instance i = of_unit(rows[k].backend);

		fake_set(&fake, C, "ActiveState", rows[k].active);
		assert_int_equal(stranger_is(m, &i), rows[k].expected);
		assert_false(stranger_is(NULL, &i));
	}
}

/* The idle clock of the instance would begin with a wake, and that with the start of the unit. */
static void nobody_attends_to_a_stranger(void **state)
{
	_cleanup_(instance_clear) struct instance i = of_unit(BACKEND_PODMAN);

	(void)state;
	note_set_sink(take_note);
	fake_set(&fake, C, "ActiveState", "inactive");
	assert_false(unattended_start_if(m, &i, CONTAINER_RUNNING));
	assert_null(strstr(fake_calls(&fake), "StartUnit"));
	assert_non_null(strstr(noted, "'podman rename x x-other' keeps it, 'podman rm -f x' removes it"));
	fake_set(&fake, C, "ActiveState", "active");
	assert_true(unattended_start_if(m, &i, CONTAINER_RUNNING));
	assert_non_null(strstr(fake_calls(&fake), "StartUnit x.service"));
}

#define LIST                                                                                                           \
	"HTTP/1.1 200 OK\r\nContent-Length: 130\r\n\r\n"                                                               \
	"[{\"Id\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"Names\":[\"x\"],\"State\":\"running\",\"Labels\":{},\"Ports\":[]}]"

static void what_is_said_of_a_stranger(void **state)
{
	FAKE_ENGINE(f, SAY(LIST), SAY(LIST));
	struct stored item = {.instance = of_unit(BACKEND_PODMAN), .enabled = true};
	struct stored_list list = {.items = &item, .n = 1};
	char text[WARNING_MAX];
	struct error trouble, err;

	(void)state;
	item.instance.engine_socket = strdup(f.socket);
	fake_set(&fake, "x.socket", "ActiveState", "active");
	for (int k = 0; k < 2; k++) {
		_cleanup_free_ struct observation *o = NULL;

		fake_set(&fake, C, "ActiveState", k == 0 ? "inactive" : "active");
		assert_int_equal(observe(SCOPE_USER, &list, USEC_PER_SEC, &o, &trouble, &err), 0);
		assert_string_equal(o->container_state, "running");
		assert_int_equal(o->stranger, k == 0);
		assert_int_equal(unattended_is(o), k == 1);
		if (k == 1)
			break;
		warning_find(o, text);
		assert_non_null(strstr(text, "somebody else has made it"));
		o->reason[0] = '\0';
		warning_find_conflicts(o, 1, USEC_PER_SEC);
		assert_non_null(strstr(o->conflict, "somebody else has made it"));
	}
	fake_stop(&f);
	stored_clear(&item);
}

#define WITH_MANAGER(name) cmocka_unit_test_setup_teardown(name, manager_setup, manager_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_MANAGER(whose_a_container_is),
		WITH_MANAGER(nobody_attends_to_a_stranger),
		WITH_MANAGER(what_is_said_of_a_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
