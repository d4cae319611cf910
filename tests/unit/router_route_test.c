#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "router/route.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct config config;
static struct peer peer;
static char why[ROUTE_WHY_MAX];

static int set_up(void **state)
{
	(void)state;
	config_defaults(&config);
	memset(&peer, 0, sizeof(peer));
	peer.place.slice = PLACE_NOBODY;
	peer.uid = peer.gid = 1; /* daemon */
	*why = '\0';
	return 0;
}

static enum route route(void)
{
	return route_of(&config, &peer, why);
}

static void a_user_has_his_own_engine(void **state)
{
	(void)state;
	assert_int_equal(route(), ROUTE_OWN);
	peer.place.kind = PLACE_OWN_CONTAINER;
	assert_int_equal(route(), ROUTE_OWN);
}

static void the_systems_engine_is_for_those_who_are_named(void **state)
{
	(void)state;
	peer.uid = 0;
	assert_int_equal(route(), ROUTE_SYSTEM);
	peer.uid = 1;
	config.system_users.ids[config.system_users.n++] = 1;
	assert_int_equal(route(), ROUTE_SYSTEM);
	config.system_users.n = 0;
	config.system_groups.ids[config.system_groups.n++] = 7;
	assert_int_equal(route(), ROUTE_OWN);
	peer.groups[peer.n_groups++] = 7;
	assert_int_equal(route(), ROUTE_SYSTEM);
	peer.n_groups = 0;
	peer.gid = 7;
	assert_int_equal(route(), ROUTE_SYSTEM);
}

static void a_user_of_the_systems_engine_has_his_own_in_his_containers(void **state)
{
	(void)state;
	config.system_users.ids[config.system_users.n++] = 1;
	peer.place.kind = PLACE_OWN_CONTAINER;
	assert_int_equal(route(), ROUTE_OWN);
}

static void root_that_is_not_named_is_refused(void **state)
{
	(void)state;
	peer.uid = 0;
	config.system_users.n = 0;
	assert_int_equal(route(), ROUTE_NONE);
	assert_non_null(strstr(why, "'system' of /etc/sockwake/router.conf does not name root"));
}

static void nobody_and_subordinate_ids_are_refused(void **state)
{
	static const uid_t uids[] = {65534, 100000, 524288, (uid_t)-2};

	(void)state;
	for (size_t i = 0; i < sizeof(uids) / sizeof(*uids); i++) {
		peer.uid = uids[i];
		assert_int_equal(route(), ROUTE_NONE);
		assert_non_null(strstr(why, "is not the user of an account"));
	}
}

static void a_container_is_refused_whatever_its_uid(void **state)
{
	static const uid_t uids[] = {0, 1, 1000};

	(void)state;
	peer.place.kind = PLACE_CONTAINER;
	strcpy(peer.place.container, ID);
	for (size_t i = 0; i < sizeof(uids) / sizeof(*uids); i++) {
		peer.uid = uids[i];
		assert_int_equal(route(), ROUTE_NONE);
		assert_non_null(strstr(why, "containers = NAME"));
	}
}

static void a_container_that_may_be_named_comes_to_a_worker_that_asks(void **state)
{
	(void)state;
	peer.place.kind = PLACE_CONTAINER;
	strcpy(peer.place.container, ID);
	config.containers.n = 1;
	strcpy(config.containers.names[0], "portainer");
	assert_int_equal(route(), ROUTE_SYSTEM);
	config.has_rules = true;
	assert_int_equal(route(), ROUTE_POLICY);
	peer.uid = 0; /* of the container */
	assert_int_equal(route(), ROUTE_POLICY);
	config.all_containers = true;
	assert_int_equal(route(), ROUTE_POLICY);
	*peer.place.container = '\0'; /* nothing proves which one it is */
	assert_int_equal(route(), ROUTE_NONE);
}

static void rules_bind_everybody_but_root(void **state)
{
	(void)state;
	config.has_rules = true;
	config.everybody = true;
	assert_int_equal(route(), ROUTE_POLICY);
	peer.place.kind = PLACE_OWN_CONTAINER;
	assert_int_equal(route(), ROUTE_POLICY);
	peer.place.kind = PLACE_HOST;
	peer.uid = 0;
	assert_int_equal(route(), ROUTE_SYSTEM);
}

static void who_cannot_be_identified_is_refused(void **state)
{
	(void)state;
	peer.uid = 0;
	peer.place.kind = PLACE_UNKNOWN;
	assert_int_equal(route(), ROUTE_NONE);
}

static void a_manager_is_started_for_whom_the_policy_names(void **state)
{
	gid_t groups[] = {5, 6};
	struct error err;

	(void)state;
	assert_false(route_may_start(&config, 1, groups, 2, &err)); /* daemon does not linger */
	assert_non_null(strstr(err.text, "loginctl enable-linger daemon"));
	config.start = START_GROUP;
	config.start_group = 6;
	assert_true(route_may_start(&config, 1, groups, 2, &err));
	config.start_group = 7;
	assert_false(route_may_start(&config, 1, groups, 2, &err));
	config.start = START_RUNNING;
	assert_false(route_may_start(&config, 1, groups, 2, &err));
}

static void no_manager_is_started_for_root_and_nobody(void **state)
{
	gid_t group = 6;
	struct error err;

	(void)state;
	config.start = START_GROUP;
	config.start_group = 6;
	assert_false(route_may_start(&config, 0, &group, 1, &err));
	assert_false(route_may_start(&config, 65534, &group, 1, &err));
	assert_false(route_may_start(&config, 100000, &group, 1, &err));
}

static void a_refusal_names_the_line_that_helps(void **state)
{
	(void)state;
	config.path = "/etc/sockwake/router-ci.conf";
	peer.place.kind = PLACE_CONTAINER;
	assert_int_equal(route(), ROUTE_NONE);
	assert_non_null(strstr(why, "containers = NAME in /etc/sockwake/router-ci.conf"));
	peer.place.slice = 1000;
	assert_int_equal(route(), ROUTE_NONE);
	assert_non_null(strstr(why, "subordinate = yes in /etc/sockwake/router-ci.conf"));
	assert_null(strstr(why, "containers ="));
}

static void a_restricted_socket_brings_nobody_to_their_own_engine(void **state)
{
	(void)state;
	config.restricted = config.has_rules = config.everybody = true;
	assert_int_equal(route(), ROUTE_POLICY);
	config.everybody = false;
	assert_int_equal(route(), ROUTE_NONE);
	assert_non_null(strstr(why, "'system' of /etc/sockwake/router.conf does not name this user"));
	peer.place.kind = PLACE_OWN_CONTAINER;
	assert_int_equal(route(), ROUTE_NONE);
	peer.place.kind = PLACE_HOST;
	config.system_users.ids[config.system_users.n++] = 1;
	assert_int_equal(route(), ROUTE_POLICY);
	peer.place.kind = PLACE_OWN_CONTAINER;
	assert_int_equal(route(), ROUTE_POLICY); /* who finds out which container it is */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_user_has_his_own_engine, set_up),
		cmocka_unit_test_setup(the_systems_engine_is_for_those_who_are_named, set_up),
		cmocka_unit_test_setup(a_user_of_the_systems_engine_has_his_own_in_his_containers, set_up),
		cmocka_unit_test_setup(root_that_is_not_named_is_refused, set_up),
		cmocka_unit_test_setup(nobody_and_subordinate_ids_are_refused, set_up),
		cmocka_unit_test_setup(a_refusal_names_the_line_that_helps, set_up),
		cmocka_unit_test_setup(a_restricted_socket_brings_nobody_to_their_own_engine, set_up),
		cmocka_unit_test_setup(a_container_is_refused_whatever_its_uid, set_up),
		cmocka_unit_test_setup(a_container_that_may_be_named_comes_to_a_worker_that_asks, set_up),
		cmocka_unit_test_setup(rules_bind_everybody_but_root, set_up),
		cmocka_unit_test_setup(who_cannot_be_identified_is_refused, set_up),
		cmocka_unit_test_setup(a_manager_is_started_for_whom_the_policy_names, set_up),
		cmocka_unit_test_setup(no_manager_is_started_for_root_and_nobody, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
