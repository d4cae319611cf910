/* control/create_unit.c: what a unit needs so that its container can sleep, and what is noted about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "control/create_unit.h"
#include "control/note.h"

static char noted[2048];

static void take_note(enum note_kind kind, const char *text)
{
	size_t len = strlen(noted);

	assert_int_equal(kind, NOTE_REMARK);
	snprintf(noted + len, sizeof(noted) - len, "%s\n", text);
}

static int begin(void **state)
{
	(void)state;
	noted[0] = '\0';
	note_set_sink(take_note);
	return 0;
}

static struct create_request request(const char *name)
{
	struct create_request r = {.instance = {.name = (char *)name,
						.scope = SCOPE_USER,
						.unit = (char *)"cache.service",
						.container_name = (char *)"cache",
						.n_ports = 1}};
	struct error err;

	assert_int_equal(publish_parse("8080:80", &r.instance.ports[0], &err), 0);
	return r;
}

/* "" if it is accepted. */
static const char *refusal(struct create_request *r, const struct instance *old, const struct container_unit *run_by)
{
	_cleanup_free_ char *drop_in = NULL;
	static struct error err;

	err.text[0] = '\0';
	if (create_unit_fit(r, old, run_by, &drop_in, &err) == 0)
		assert_null(drop_in);
	return err.text;
}

static void options_for_quadlets(void **state)
{
	const struct container_unit by_hand = {.unit = (char *)"cache.service"}, none = {};
	struct create_request r = request("cache-wake");

	(void)state;
	assert_string_equal(refusal(&r, NULL, &by_hand), "");
	r.instance.no_boot = true;
	assert_string_equal(refusal(&r, NULL, &by_hand),
			    "cache.service is no Quadlet, and --no-boot is for those: 'systemctl --user disable "
			    "cache.service' leaves its start to the first connection");
	assert_string_equal(refusal(&r, NULL, &none),
			    "no unit runs the container 'cache': --no-boot and --drop-publish are for Quadlets");
	r.instance.no_boot = false;
	r.instance.drop_publish = true;
	assert_string_equal(refusal(&r, NULL, &by_hand),
			    "cache.service is no Quadlet, and --drop-publish is for those: take the port out of its "
			    "ExecStart=");
}

/* They were stored by an earlier version, and another option is set. */
static void stored_ones_are_forgotten(void **state)
{
	const struct container_unit by_hand = {.unit = (char *)"cache.service"};
	struct create_request r = request("cache-wake");
	struct instance old = r.instance;

	(void)state;
	r.changes = true;
	old.no_boot = old.drop_publish = r.instance.no_boot = r.instance.drop_publish = true;
	assert_string_equal(refusal(&r, &old, &by_hand), "");
	assert_false(r.instance.no_boot || r.instance.drop_publish);
	old.no_boot = old.drop_publish = false;
	r.instance.drop_publish = true;
	assert_string_not_equal(refusal(&r, &old, &by_hand), "");
}

/* A note about an instance that is then refused would name a command for one that does not exist. */
static void a_refusal_comes_without_notes(void **state)
{
	char *ports[] = {(char *)"8080:80", NULL};
	const struct container_unit run_by = {.unit = (char *)"x2.service",
					      .quadlet = (char *)"/q/x2.container",
					      .wanted_by = (char *)"default.target",
					      .keeps_writes = true,
					      .publish = ports};
	struct create_request r = request("x2-wake");

	(void)state;
	assert_non_null(strstr(refusal(&r, NULL, &run_by), "--drop-publish writes '[Container]'"));
	assert_string_equal(noted, "");
	create_unit_note(&r, &run_by);
	assert_string_equal(noted, "default.target starts x2.service, asleep or not: 'sockwake set x2-wake --no-boot' "
				   "leaves that to the first connection\n");
}

static void what_is_written_goes_with_the_container(void **state)
{
	struct container_unit run_by = {.unit = (char *)"x2.service", .quadlet = (char *)"/q/x2.container"};
	struct create_request r = request("x2-wake");

	(void)state;
	create_unit_note(&r, &run_by);
	assert_string_equal(noted,
			    "x2.service removes its container whenever it sleeps, and what that wrote goes with it: "
			    "'Volume=NAME:/PATH' under [Container] in '/q/x2.container' keeps a directory\n");
	noted[0] = '\0';
	r.instance.idle_action = IDLE_PAUSE;
	create_unit_note(&r, &run_by);
	r.instance.idle_action = IDLE_STOP;
	r.as_quadlet = true;
	create_unit_note(&r, &run_by);
	r.as_quadlet = false;
	run_by.keeps_writes = true;
	create_unit_note(&r, &run_by);
	run_by.keeps_writes = false;
	run_by.kube = (char *)"/q/x2.yaml";
	create_unit_note(&r, &run_by);
	run_by.kube = run_by.quadlet = NULL;
	create_unit_note(&r, &run_by);
	assert_string_equal(noted, "");
	run_by.replaces_any = true;
	create_unit_note(&r, &run_by);
	assert_non_null(strstr(noted, "x2.service removes whatever container has the name of its own"));
	assert_non_null(strstr(noted, "'Environment=PODMAN_SYSTEMD_UNIT=%n' under [Service]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(options_for_quadlets, begin),
		cmocka_unit_test_setup(stored_ones_are_forgotten, begin),
		cmocka_unit_test_setup(a_refusal_comes_without_notes, begin),
		cmocka_unit_test_setup(what_is_written_goes_with_the_container, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
