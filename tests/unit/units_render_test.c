/* units/render.c: what the units say. */
#include "tests/unit/render_fixture.h"

static void all_units_carry_the_markers(void **state)
{
	_cleanup_instance_ struct instance i = full_instance();
	_cleanup_rendered_ struct rendered r = render(&i);
	_cleanup_free_ char *json = instance_to_json(&i);

	(void)state;
	assert_value(r.socket, "X-ManagedBy", "sockwake");
	assert_value(r.service, "X-ManagedBy", "sockwake");
	assert_value(r.socket, "X-InstanceConfig", json);
	assert_value(r.service, "X-InstanceConfig", json);
	assert_value(r.timer, "X-ManagedBy", "sockwake");
	assert_value(r.timer, "X-InstanceConfig", json);
}

static void the_socket(void **state)
{
	_cleanup_instance_ struct instance i = full_instance(), small = small_instance("pg");
	_cleanup_rendered_ struct rendered r = render(&i), s = render(&small);
	_cleanup_free_ char *second = value_of(r.socket, "ListenStream", 1),
			    *third = value_of(r.socket, "ListenStream", 2);

	(void)state;
	assert_value(r.socket, "ListenStream", "5432");
	assert_string_equal(second, "[2001:db8::1]:8080");
	assert_string_equal(third, "/run/pg/%%s.sock");
	assert_value(r.socket, "ListenDatagram", "127.0.0.1:53");
	assert_value(r.socket, "PassPacketInfo", "yes");
	assert_value(r.socket, "SocketMode", "0666");
	assert_value(r.socket, "SocketGroup", "db");
	assert_value(r.socket, "RemoveOnStop", "yes");
	assert_absent(r.socket, "NoDelay");
	assert_value(r.socket, "FreeBind", "yes");
	assert_value(r.socket, "TriggerLimitIntervalSec", "10s");
	assert_value(r.socket, "TriggerLimitBurst", "50");
	assert_value(r.socket, "StartLimitIntervalSec", "0");
	assert_value(r.socket, "WantedBy", "sockets.target");
	assert_value(s.socket, "NoDelay", "yes");
	assert_absent(s.socket, "PassPacketInfo");
	assert_absent(s.socket, "SocketMode");
}

/* The words up to the next "--", which is replaced by the end. */
static struct words part(struct words *w)
{
	struct words p = {};

	for (size_t k = 0; k < w->n; k++) {
		if (strcmp(w->v[k], "--") == 0)
			break;
		p.v[p.n++] = w->v[k];
	}
	return p;
}

/* The same, of the n-th program that the keeper is told about. */
static struct words command(const struct words *w, size_t n)
{
	struct words rest = {};

	for (size_t k = 0; k < w->n; k++) {
		if (n == 0)
			rest.v[rest.n++] = w->v[k];
		else if (strcmp(w->v[k], "--") == 0)
			n--;
	}
	return part(&rest);
}

static void the_programs_of_a_wake(void **state)
{
	_cleanup_instance_ struct instance i = full_instance();
	_cleanup_rendered_ struct rendered r = render(&i);
	_cleanup_free_ char *start = value_of(r.service, "ExecStart", 0),
			    *stop = value_of(r.service, "ExecStopPost", 0),
			    *more = value_of(r.service, "ExecStopPost", 1);
	_cleanup_(words_clear) struct words w = split(start), s = split(stop);
	struct words keeper = command(&w, 0), activator = command(&w, 1), nshelper = command(&w, 2),
		     proxy = command(&w, 3);

	(void)state;
	assert_string_equal(keeper.v[0], ":" LIBEXECDIR "/keeper");
	assert_string_equal(option(&keeper, "--name"), "pg");
	assert_string_equal(option(&keeper, "--startup-timeout"), "30");
	assert_string_equal(option(&keeper, "--no-wake-from"), "192.0.2.0/24");
	assert_string_equal(option(&keeper, "--schedule"), "Mon..Fri 08:30-17:15");
	assert_string_equal(activator.v[0], LIBEXECDIR "/activator");
	assert_string_equal(option(&activator, "--name"), "pg");
	assert_string_equal(option(&activator, "--backend"), "podman");
	assert_string_equal(option(&activator, "--container"), "pg");
	assert_string_equal(option(&activator, "--unit"), "db\\x2d1.service");
	assert_string_equal(option(&activator, "--idle-action"), "pause");
	assert_string_equal(option(&activator, "--startup-timeout"), "30");
	assert_string_equal(option(&activator, "--with-health-check"), "postgres");
	assert_true(has_word(&activator, "--keep-running"));
	/* which of them it is for, the keeper says */
	assert_false(has_word(&activator, "--wake"));
	assert_false(has_word(&activator, "--no-wake-from"));
	assert_string_equal(nshelper.v[0], LIBEXECDIR "/nshelper");
	assert_string_equal(option(&nshelper, "--user"), "sockwake");
	assert_true(has_word(&nshelper, "--outside-source"));
	assert_true(has_word(&nshelper, "--transparent"));
	assert_false(has_word(&nshelper, "--container-root"));
	assert_string_equal(proxy.v[0], LIBEXECDIR "/proxy");
	assert_string_equal(option(&proxy, "--forward"), "5432:5432");
	assert_string_equal(option(&proxy, "--no-hold-from"), "192.0.2.7");
	assert_string_equal(option(&proxy, "--connection-timeout"), "2h 30min");
	assert_string_equal(option(&proxy, "--flow-timeout"), "3min");
	assert_string_equal(option(&proxy, "--hold"), "data");
	/* whom it ignores does neither */
	assert_true(has_word(&keeper, "198.51.100.0/24"));
	assert_true(has_word(&proxy, "198.51.100.0/24"));
	assert_string_equal(option(&proxy, "--proxy-protocol"), "v2");
	assert_string_equal(option(&proxy, "--workers"), "3");
	assert_true(has_word(&proxy, "--transparent"));
	/* The net under a keeper that was killed. */
	assert_string_equal(s.v[0], "-:" LIBEXECDIR "/activator");
	assert_true(has_word(&s, "--sleep"));
	assert_true(has_word(&s, "--keep-running"));
	assert_string_equal(option(&s, "--idle-action"), "pause");
	assert_null(more);
}

/* The keeper sees to the end of its children and restarts them; systemd does the same for a keeper that was killed. */
static void the_keeper_is_the_service(void **state)
{
	_cleanup_instance_ struct instance i = full_instance();
	_cleanup_rendered_ struct rendered r = render(&i);

	(void)state;
	assert_value(r.service, "Type", "notify");
	assert_value(r.service, "NotifyAccess", "main");
	assert_value(r.service, "KillMode", "mixed");
	assert_value(r.service, "OOMPolicy", "continue");
	assert_value(r.service, "Restart", "on-abnormal");
	assert_value(r.service, "RestartSec", "0");
	assert_value(r.service, "SuccessExitStatus", "76");
	assert_value(r.service, "RestartPreventExitStatus", "76");
	assert_absent(r.service, "ExecStartPost");
	assert_absent(r.service, "ExecStartPre");
	assert_absent(r.service, "ExecStop");
}

static void the_timer(void **state)
{
	static const char *const lines[] = {"Mon..Fri 08:30..59", "Mon..Fri 09..16:*", "Mon..Fri 17:00..14",
					    "Sat..Sun 22..23:*", "Mon,Sun 00..05:*"};
	_cleanup_instance_ struct instance i = full_instance(), small = small_instance("pg");
	_cleanup_rendered_ struct rendered r = render(&i), s = render(&small);
	_cleanup_free_ char *start = value_of(r.service, "ExecStart", 0), *more = value_of(r.timer, "OnCalendar", 5);
	_cleanup_(words_clear) struct words w = split(start);

	(void)state;
	for (size_t k = 0; k < 5; k++) {
		_cleanup_free_ char *line = value_of(r.timer, "OnCalendar", k);

		assert_string_equal(line, lines[k]);
	}
	assert_null(more);
	assert_value(r.timer, "AccuracySec", "1s");
	assert_value(r.timer, "PartOf", "pg.socket");
	assert_value(r.socket, "Wants", "pg.timer");
	assert_string_equal(option(&w, "--schedule"), "Mon..Fri 08:30-17:15");
	assert_string_equal(option(&w, "--warm-for"), "30m");
	assert_null(s.timer);
	assert_absent(s.socket, "Wants");
}

static void health_check_of_the_image(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");

	(void)state;
	strcpy(i.health_check = realloc(i.health_check, 8), "healthy");

	_cleanup_rendered_ struct rendered r = render(&i);
	_cleanup_free_ char *start = value_of(r.service, "ExecStart", 0);
	_cleanup_(words_clear) struct words w = split(start);

	assert_true(has_word(&w, "--healthy"));
	assert_string_equal(option(&w, "--health-check"), "listen");
}

static void unix_target_needs_the_root(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");

	(void)state;
	i.targets = list_of("unix:/run/my sql.sock", NULL);

	_cleanup_rendered_ struct rendered r = render(&i);
	_cleanup_free_ char *start = value_of(r.service, "ExecStart", 0);
	_cleanup_(words_clear) struct words w = split(start);

	assert_true(has_word(&w, "--container-root"));
	assert_string_equal(option(&w, "--target"), "unix:/run/my sql.sock");
}

/* What the server sees is asked for by its targets; and units of before go on as they were. */
static void outside_source(void **state)
{
	static const struct {
		const char *target;
		bool outside_source, with, expected;
		enum appearance appearance;
	} cells[] = {
		{NULL, true, false, true, APPEAR_OUTSIDE},
		{NULL, false, false, false, APPEAR_LOCAL_BEFORE},
		{"127.0.0.1", true, false, false, APPEAR_LOCAL},
		{"127.8.8.8", true, false, false, APPEAR_LOCAL},
		{"0:0:0:0:0:0:0:1", true, false, false, APPEAR_LOCAL},
		{"127.0.0.1", true, true, true, APPEAR_LOCAL}, /* the others are not asked from loopback */
		{"127.0.0.1", false, true, false, APPEAR_LOCAL_BEFORE},
		{"10.88.0.5", true, false, true, APPEAR_OUTSIDE},
		{"unix:/run/x", true, false, false, APPEAR_NOWHERE},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cells) / sizeof(*cells); k++) {
		_cleanup_instance_ struct instance i = small_instance("pg");
		_cleanup_rendered_ struct rendered r = {};

		i.scope = SCOPE_SYSTEM;
		i.outside_source = cells[k].outside_source;
		if (cells[k].target)
			i.targets = list_of(cells[k].target, NULL);
		if (cells[k].with)
			i.dependencies[i.n_dependencies++] = (struct dependency){.container = strdup("db")};
		r = render(&i);
		assert_int_equal(instance_appearance(&i), cells[k].appearance);
		assert_int_equal(strstr(r.service, " --outside-source ") != NULL, cells[k].expected);
		assert_int_equal(strstr(r.service, " CAP_NET_ADMIN\n") != NULL, cells[k].expected);
	}
}

static void privileges_by_scope(void **state)
{
	/* Each costs milliseconds of every wake, and some break entry: units/render.c. */
	static const char *const absent[] = {"ProtectSystem", "ProtectProc",	  "PrivateTmp",	 "PrivateUsers",
					     "DynamicUser",   "SystemCallFilter", "PrivatePIDs", "ProtectHome"};
	_cleanup_instance_ struct instance user = small_instance("pg"), system = full_instance();
	_cleanup_rendered_ struct rendered u = render(&user), s = render(&system);

	(void)state;
	for (size_t k = 0; k < sizeof(absent) / sizeof(*absent); k++) {
		assert_absent(s.service, absent[k]);
		assert_absent(u.service, absent[k]);
	}
	assert_absent(u.service, "CapabilityBoundingSet");
	assert_value(s.service, "NoNewPrivileges", "yes");
	assert_value(
		s.service, "CapabilityBoundingSet",
		"CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_KILL CAP_NET_ADMIN CAP_NET_RAW");
	assert_value(u.service, "NoNewPrivileges", "yes");
	assert_null(strstr(u.service, "--user"));
}

static void times(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg"), patient = small_instance("pg");

	(void)state;
	patient.stop_timeout = UINT64_MAX;
	strcpy(patient.startup_timeout = realloc(patient.startup_timeout, 9), "infinity");
	strcpy(i.startup_timeout = realloc(i.startup_timeout, 9), "1500ms");
	i.stop_timeout = 100;

	_cleanup_rendered_ struct rendered r = render(&i), p = render(&patient);

	assert_value(r.service, "TimeoutStartSec", "17");
	assert_value(r.service, "TimeoutStopSec", "170");
	assert_value(p.service, "TimeoutStartSec", "infinity");
	assert_value(p.service, "TimeoutStopSec", "infinity");
	assert_value(r.service, "StartLimitIntervalSec", "0");
	assert_value(r.service, "RuntimeDirectoryPreserve", "yes");
}

/* systemd counts microseconds in 64 bits: more is for ever. */
static void the_longest_time(void **state)
{
	for (uint64_t k = 0; k <= 1; k++) {
		_cleanup_instance_ struct instance i = small_instance("pg");

		(void)state;
		i.stop_timeout = UINT64_MAX / 1000000 - 1 - 70 + k; /* 70 more for the proxy and the programs */

		_cleanup_rendered_ struct rendered r = render(&i);

		assert_value(r.service, "TimeoutStopSec", k ? "infinity" : "18446744073708");
	}
}

/* systemd runs nothing of a person's: the keeper does, and need not wait for it. */
static void notifications(void **state)
{
	_cleanup_instance_ struct instance i = full_instance();
	_cleanup_rendered_ struct rendered with = render(&i);
	_cleanup_free_ char *start = value_of(with.service, "ExecStart", 0);
	_cleanup_(words_clear) struct words w = split(start);
	struct words keeper = command(&w, 0);

	(void)state;
	assert_string_equal(option(&keeper, "--notify"), "wake");
	assert_absent(with.service, "ExecStartPost");
	i.notifications = false;

	_cleanup_rendered_ struct rendered without = render(&i);

	assert_null(strstr(without.service, "--notify"));
}

/* systemd's own parser has nothing to say, but that the programs are not installed. */
static void systemd_understands_them(void **state)
{
	_cleanup_instance_ struct instance i = full_instance(), user = small_instance("pg");
	struct instance *all[] = {&i, &user};
	struct error err;

	(void)state;
	free(i.health_check);
	i.health_check = strdup("curl \"http://x/%20\" | grep -q '$HOME' ; exit");
	for (size_t k = 0; k < 2; k++) {
		_cleanup_rendered_ struct rendered r = render(all[k]);
		char directory[] = "/tmp/sockwake-render-XXXXXX", command[512], line[1024];
		_cleanup_fclose_ FILE *f = NULL;

		assert_non_null(mkdtemp(directory));
		snprintf(command, sizeof(command), "%s/pg.socket", directory);
		assert_int_equal(file_write_atomic(command, r.socket, strlen(r.socket), 0644, &err), 0);
		snprintf(command, sizeof(command), "%s/pg.service", directory);
		assert_int_equal(file_write_atomic(command, r.service, strlen(r.service), 0644, &err), 0);
		snprintf(command, sizeof(command), "%s/pg.timer", directory);
		if (r.timer)
			assert_int_equal(file_write_atomic(command, r.timer, strlen(r.timer), 0644, &err), 0);
		snprintf(command, sizeof(command), "cd %s && systemd-analyze --man=no %s verify ./pg.* 2>&1", directory,
			 all[k]->scope == SCOPE_USER ? "--user" : "");
		f = popen(command, "r");
		assert_non_null(f);
		while (fgets(line, sizeof(line), f)) {
			if (strstr(line, "pg.") && !strstr(line, "is not executable"))
				fail_msg("%s", line);
		}
		snprintf(command, sizeof(command), "rm -r %s", directory);
		assert_int_equal(system(command), 0);
		pclose(steal_ptr(&f));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_units_carry_the_markers),
		cmocka_unit_test(the_socket),
		cmocka_unit_test(the_programs_of_a_wake),
		cmocka_unit_test(the_keeper_is_the_service),
		cmocka_unit_test(the_timer),
		cmocka_unit_test(health_check_of_the_image),
		cmocka_unit_test(unix_target_needs_the_root),
		cmocka_unit_test(outside_source),
		cmocka_unit_test(privileges_by_scope),
		cmocka_unit_test(times),
		cmocka_unit_test(the_longest_time),
		cmocka_unit_test(notifications),
		cmocka_unit_test(systemd_understands_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
