/* control/image.c: the container that was made for an instance gets another name, and another one its name, between the
 * decision about it and the deed. Engine and service manager are fakes. */
#include "control/image.h"

#include "control/note.h"
#include "tests/unit/activator_fixture.h"
#include "tests/unit/instance_fixture.h"
#include "tests/unit/manager_fixture.h"

#define IMAGE	"sha256:" ID
#define CREATED reply("201", "{\"Id\":\"" ID "\",\"Warnings\":[]}")

/* A stopped container; made: for the instance `x`. */
static const char *container(const char *name, bool made)
{
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"Id\":\"" ID "\",\"Name\":\"/%s\",\"Image\":\"" IMAGE
		 "\",\"State\":{\"Status\":\"exited\",\"Pid\":0,\"ExitCode\":0,\"StartedAt\":\"" STARTED
		 "\"},\"HostConfig\":{\"NetworkMode\":\"none\"},\"Config\":{\"Labels\":{%s}}}",
		 name, made ? "\"sockwake.made-for\":\"x\",\"sockwake.made-of\":\"" IMAGE "\"" : "");
	return reply("200", body);
}

static void take_note(enum note_kind kind, const char *text)
{
	(void)kind;
	(void)text;
}

static struct instance made_instance(const struct fake_engine *f)
{
	struct instance i = small_instance("x");

	i.backend = BACKEND_DOCKER;
	i.made_container = true;
	i.engine_socket = strdup(f->socket);
	return i;
}

static bool asked(const struct fake_engine *f, const char *words)
{
	return strstr(f->seen->text, words);
}

/* .replaced, .discarded */
#define NONE_ASIDE SAY(NO_SUCH), SAY(NO_SUCH)

static void only_what_was_seen_is_removed(void **state)
{
	START(f, SAY(container("x", true)), /* */
	      NONE_ASIDE, SAY(container("xxx", true)), SAY(NO_CONTENT), NONE_ASIDE);
	_cleanup_(instance_clear) struct instance i = made_instance(&f);
	char id[CONTAINER_ID_SIZE];
	struct error err;

	(void)state;
	assert_int_equal(made_check(&i, id, &err), 0);
	assert_string_equal(id, ID);
	assert_true(asked(&f, "GET /containers/x/json"));
	assert_int_equal(made_remove(&i, m, id, &err), 0);
	assert_true(asked(&f, "GET /containers/" ID "/json"));
	assert_true(asked(&f, "DELETE /containers/" ID "?"));
	assert_false(asked(&f, "DELETE /containers/x?"));
	fake_stop(&f);
}

/* There was none, and somebody makes one of its name meanwhile. */
static void another_that_came_stays(void **state)
{
	START(f, SAY(NO_SUCH), /* */
	      NONE_ASIDE, SAY(container("x", false)), NONE_ASIDE);
	_cleanup_(instance_clear) struct instance i = made_instance(&f);
	char id[CONTAINER_ID_SIZE];
	struct error err;

	(void)state;
	assert_int_equal(made_check(&i, id, &err), 0);
	assert_string_equal(id, "");
	assert_int_equal(made_remove(&i, m, id, &err), 0);
	assert_false(asked(&f, "DELETE"));
	fake_stop(&f);
}

#define FOUND SAY(reply("200", "{\"Id\":\"" IMAGE "\",\"Config\":{}}")), NONE_ASIDE, SAY(container("x", true))

static struct create_request replacement(const struct fake_engine *f)
{
	struct create_request r = {.instance = made_instance(f), .force = true};

	r.to_make.image = strdup("web");
	r.to_make.network = strdup("none");
	return r;
}

static void one_that_was_renamed_is_not_replaced(void **state)
{
	START(f, FOUND, SAY(container("xxx", true)));
	_cleanup_create_request_ struct create_request r = replacement(&f);
	_cleanup_made_ struct made made = {};
	struct error err;

	(void)state;
	assert_int_equal(made_make(&r, m, &made, &err), -1);
	assert_string_equal(err.text, "somebody has renamed the container 'x' to 'xxx' meanwhile: nothing is replaced. "
				      "'docker rename xxx x' undoes that");
	assert_false(asked(&f, "POST"));
	assert_false(asked(&f, "DELETE"));
	fake_stop(&f);
}

static void what_is_replaced_is_called_by_its_identifier(void **state)
{
	START(f, FOUND, SAY(container("x", true)), SAY(NO_CONTENT), SAY(CREATED), /* */
	      SAY(NO_CONTENT), SAY(NO_CONTENT));
	_cleanup_create_request_ struct create_request r = replacement(&f);
	struct made made = {};
	struct error err;

	(void)state;
	note_set_sink(take_note);
	assert_int_equal(made_make(&r, m, &made, &err), 0);
	made_keep(&r, &made);
	assert_true(asked(&f, "POST /containers/" ID "/rename?name=x.replaced"));
	assert_true(asked(&f, "POST /containers/create?name=x "));
	assert_true(asked(&f, "POST /containers/" ID "/rename?name=x.discarded"));
	assert_true(asked(&f, "DELETE /containers/" ID "?"));
	fake_stop(&f);
}

static int setup_both(void **state)
{
	return setup(state) < 0 ? -1 : manager_setup(state);
}

static int teardown_both(void **state)
{
	manager_teardown(state);
	return teardown(state);
}

#define WITH_BOTH(name) cmocka_unit_test_setup_teardown(name, setup_both, teardown_both)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BOTH(only_what_was_seen_is_removed),
		WITH_BOTH(another_that_came_stays),
		WITH_BOTH(one_that_was_renamed_is_not_replaced),
		WITH_BOTH(what_is_replaced_is_called_by_its_identifier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
