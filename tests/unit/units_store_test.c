/* units/store.c and paths.c: what a unit directory holds, and that a change of it is whole or none. */
#include "tests/unit/store_fixture.h"

static void write_read_remove(void **state)
{
	_cleanup_instance_ struct instance i = full_instance();
	_cleanup_rendered_ struct rendered r = {};
	_cleanup_stored_ struct stored s = {};
	_cleanup_free_ char *socket = NULL, *service = NULL, *timer = NULL, *json = instance_to_json(&i), *back = NULL;
	struct error err;
	char target[PATH_MAX] = "";

	(void)state;
	write_instance(&i);
	assert_int_equal(units_render(&i, &r, &err), 0);
	assert_int_equal(file_read(AT_FDCWD, in("pg.socket"), 1 << 20, &socket, NULL, &err), 0);
	assert_int_equal(file_read(AT_FDCWD, in("pg.service"), 1 << 20, &service, NULL, &err), 0);
	assert_string_equal(socket, r.socket);
	assert_string_equal(service, r.service);
	assert_int_equal(file_read(AT_FDCWD, in("pg.timer"), 1 << 20, &timer, NULL, &err), 0);
	assert_string_equal(timer, r.timer);
	assert_true(readlink(in("sockets.target.wants/pg.socket"), target, sizeof(target) - 1) > 0);
	assert_string_equal(target, in("pg.socket"));
	assert_int_equal(count_entries(), 4);
	assert_int_equal(store_read(directory, "pg", &s, &err), 0);
	assert_null(s.problem);
	back = instance_to_json(&s.instance);
	assert_string_equal(back, json);
	assert_int_equal(store_remove(directory, "pg", &err), 0);
	assert_int_equal(count_entries(), 0);
	assert_int_equal(store_remove(directory, "pg", &err), 0);
}

/* What a refresh would change. */
static void whether_it_is_current(void **state)
{
	_cleanup_instance_ struct instance i = full_instance(), other = small_instance("other");
	struct error err;
	bool current = false;

	(void)state;
	write_instance(&i);
	assert_int_equal(store_is_current(directory, &i, &current, &err), 0);
	assert_true(current);
	put("pg.service", "[Unit]\nX-ManagedBy=sockwake\n");
	assert_int_equal(store_is_current(directory, &i, &current, &err), 0);
	assert_false(current);
	assert_int_equal(store_is_current(directory, &other, &current, &err), 0);
	assert_false(current);
	put("pg.service", "[Unit]\n"); /* somebody else's */
	assert_int_equal(store_is_current(directory, &i, &current, &err), -1);
	assert_int_equal(err.code, EEXIST);
}

static void nothing_there(void **state)
{
	_cleanup_stored_list_ struct stored_list l = {};
	_cleanup_stored_ struct stored s = {};
	struct error err;

	(void)state;
	assert_int_equal(store_scan(in("no-such-directory"), &l, &err), 0);
	assert_int_equal(l.n, 0);
	assert_int_equal(store_read(directory, "pg", &s, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(store_read(directory, "../pg", &s, &err), -1);
	assert_int_equal(err.code, EINVAL);
}

static void original_is_found_and_taken_over(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("mysql5ram");
	_cleanup_stored_list_ struct stored_list l = {};
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;

	(void)state;
	put_original();
	assert_int_equal(store_scan(directory, &l, &err), 0);
	assert_int_equal(l.n, 1);
	assert_true(l.items[0].instance.legacy);
	assert_int_equal(store_write(directory, &i, &before, &err), 0);
	assert_false(exists("mysql5ram-proxy.service"));
	assert_int_equal(store_restore(directory, "mysql5ram", &before, &err), 0);
	assert_true(exists("mysql5ram-proxy.service"));
	assert_int_equal(store_remove(directory, "mysql5ram", &err), 0);
	assert_int_equal(count_entries(), 0);
}

static void refused_to_write(const char *name)
{
	_cleanup_instance_ struct instance i = small_instance(name);
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;

	assert_int_equal(store_check_owner(directory, name, &err), -1);
	assert_int_equal(err.code, EEXIST);
	assert_int_equal(store_write(directory, &i, &before, &err), -1);
	assert_int_equal(err.code, EEXIST);
}

static void refused(const char *name)
{
	struct error err;

	refused_to_write(name);
	assert_int_equal(store_remove(directory, name, &err), -1);
}

static void what_is_not_ours_stays(void **state)
{
	static const char text[] = "[Unit]\nDescription=x\n[Service]\nX-ManagedBy=sockwake\n";
	_cleanup_free_ char *back = NULL;
	struct error err;

	(void)state;
	put("pg.service", text);
	put("db.socket", "[Unit]\nX-ManagedBy=sockwaker\n");
	assert_int_equal(symlink("/dev/null", in("web.service")), 0);
	assert_int_equal(symlink("/nonexistent", in("gone.service")), 0);
	assert_int_equal(mkdir(in("dir.socket"), 0755), 0);
	refused("pg");
	refused("db");
	refused("web");
	refused("gone");
	refused("dir");
	assert_int_equal(file_read(AT_FDCWD, in("pg.service"), 4096, &back, NULL, &err), 0);
	assert_string_equal(back, text);
	assert_int_equal(count_entries(), 5);
}

static void a_timer_comes_and_goes_with_the_schedule(void **state)
{
	_cleanup_instance_ struct instance with = full_instance(), without = small_instance("pg");
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;

	(void)state;
	write_instance(&without);
	assert_false(exists("pg.timer"));
	write_instance(&with);
	assert_true(exists("pg.timer"));
	assert_int_equal(store_write(directory, &without, &before, &err), 0);
	assert_false(exists("pg.timer"));
	assert_int_equal(store_restore(directory, "pg", &before, &err), 0);
	assert_true(exists("pg.timer"));
}

/* Who had a timer of his own for an instance can still remove that. */
static void a_timer_that_is_not_ours(void **state)
{
	static const char text[] = "[Unit]\nDescription=mine\n[Timer]\nOnCalendar=hourly\n";
	_cleanup_free_ char *back = NULL;
	struct error err;

	(void)state;
	put("web.timer", text);
	refused_to_write("web");
	assert_int_equal(unlink(in("web.timer")), 0);
	_cleanup_instance_ struct instance web = small_instance("web");
	write_instance(&web);
	put("web.timer", text);
	refused_to_write("web");
	assert_int_equal(store_remove(directory, "web", &err), 0);
	assert_int_equal(file_read(AT_FDCWD, in("web.timer"), 4096, &back, NULL, &err), 0);
	assert_string_equal(back, text);
	assert_int_equal(count_entries(), 1);
}

/* The second service of the original tool's "web" has the name of the service of an instance "web-proxy". */
static void names_that_meet(void **state)
{
	_cleanup_instance_ struct instance web = small_instance("web"), proxy = small_instance("web-proxy"),
					   ram = small_instance("mysql5ram-proxy");
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;

	(void)state;
	write_instance(&proxy);
	write_instance(&web);
	assert_true(exists("web-proxy.service"));
	assert_int_equal(store_remove(directory, "web", &err), 0);
	assert_true(exists("web-proxy.service"));
	assert_true(exists("web-proxy.socket"));
	assert_int_equal(store_remove(directory, "web-proxy", &err), 0);
	put_original();
	assert_int_equal(store_write(directory, &ram, &before, &err), -1);
	assert_int_equal(err.code, EEXIST);
}

/* The original tool's README says that every unit has the configuration. */
static void original_with_the_configuration_everywhere(void **state)
{
	static const char marks[] =
		"[Unit]\nX-ManagedBy=sockwake\nX-InstanceConfig={\"name\":\"old\",\"listen_port\":1,"
		"\"container_port\":2,\"container_name\":\"old\"}\n";
	_cleanup_instance_ struct instance proxy = small_instance("old-proxy");
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;

	(void)state;
	put("old.socket", marks);
	put("old-proxy.service", marks);
	put("old.service", marks);
	assert_int_equal(store_write(directory, &proxy, &before, &err), -1);
	assert_int_equal(err.code, EEXIST);
	assert_int_equal(store_remove(directory, "old", &err), 0);
	assert_int_equal(count_entries(), 0);
}

static void broken_configurations_are_listed_with_a_reason(void **state)
{
	_cleanup_stored_list_ struct stored_list l = {};
	struct error err;

	(void)state;
	put("a.socket", "[Unit]\nX-ManagedBy=sockwake\n");
	put("b.socket", "[Unit]\nX-ManagedBy=sockwake\nX-InstanceConfig={\"name\":\n");
	put("c.socket", "[Unit]\nX-ManagedBy=sockwake\nX-InstanceConfig={\"name\":\"z\",\"listen_port\":1,"
			"\"container_port\":1,\"container_name\":\"z\"}\n");
	put("d.socket", "[Socket]\nX-ManagedBy=sockwake\n");
	put(".e.socket", "[Unit]\nX-ManagedBy=sockwake\n");
	put("f.g.socket", "[Unit]\nX-ManagedBy=sockwake\n");
	assert_int_equal(store_scan(directory, &l, &err), 0);
	assert_int_equal(l.n, 3);
	for (size_t k = 0; k < l.n; k++) {
		assert_int_equal(l.items[k].instance.name[0], 'a' + (int)k);
		assert_non_null(l.items[k].problem);
		assert_null(l.items[k].instance.container_name); /* nor anything else of another's */
	}
	assert_int_equal(store_remove(directory, "a", &err), 0);
	assert_false(exists("a.socket"));
}

static void a_thousand_instances(void **state)
{
	_cleanup_stored_list_ struct stored_list l = {};
	uint64_t begin;
	struct error err;
	char name[32];

	(void)state;
	for (unsigned k = 0; k < 1000; k++) {
		snprintf(name, sizeof(name), "i%03u", k);

		_cleanup_instance_ struct instance i = small_instance(name);
		_cleanup_rendered_ struct rendered r = {};

		assert_int_equal(units_render(&i, &r, &err), 0);
		strcat(name, ".socket");

		_cleanup_fclose_ FILE *f = fopen(in(name), "we");

		assert_true(f && fputs(r.socket, f) >= 0);
	}
	begin = now_usec();
	assert_int_equal(store_scan(directory, &l, &err), 0);
	assert_int_equal(l.n, 1000);
	assert_string_equal(l.items[0].instance.name, "i000");
	assert_string_equal(l.items[999].instance.name, "i999");
	assert_true(now_usec() - begin < 2 * USEC_PER_SEC);
}

static void longest_name(void **state)
{
	char name[241];

	(void)state;
	memset(name, 'n', 240);
	name[240] = '\0';

	_cleanup_instance_ struct instance i = small_instance(name);
	_cleanup_stored_ struct stored s = {};
	struct error err;

	write_instance(&i);
	assert_int_equal(store_read(directory, name, &s, &err), 0);
	assert_null(s.problem);
	assert_int_equal(store_remove(directory, name, &err), 0);
	assert_int_equal(count_entries(), 0);
}

static int refresh(const struct instance *i)
{
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;
	int changed;

	if (store_refresh(directory, i, &before, &changed, &err) < 0)
		fail_msg("%s", err.text);
	return changed;
}

static void refreshed_where_it_differs(void **state)
{
	_cleanup_instance_ struct instance i = full_instance();
	_cleanup_free_ char *socket = NULL, *service = NULL, *again = NULL, *other = NULL;

	(void)state;
	write_instance(&i);
	socket = content("pg.socket");
	service = content("pg.service");
	assert_int_equal(refresh(&i), 0);

	/* the service, the timer, or what describes the socket: that goes on listening */
	put("pg.service", "[Unit]\nX-ManagedBy=sockwake\n");
	assert_int_equal(refresh(&i), REFRESHED_OTHERS);
	unlink(in("pg.timer"));
	assert_int_equal(refresh(&i), REFRESHED_OTHERS);
	assert_true(exists("pg.timer"));
	again = strdup(socket);
	strstr(again, "Description=")[12] ^= 1;
	put("pg.socket", again);
	assert_int_equal(refresh(&i), REFRESHED_OTHERS);

	/* where it listens, and how */
	memcpy(again, socket, strlen(socket));
	strstr(again, "Backlog=")[8] = '1';
	put("pg.socket", again);
	assert_int_equal(refresh(&i), REFRESHED_OTHERS | REFRESHED_SOCKET);
	other = content("pg.socket");
	assert_string_equal(other, socket);
	free_ptr(&other);
	other = content("pg.service");
	assert_string_equal(other, service);
	assert_int_equal(refresh(&i), 0);
	assert_int_equal(count_entries(), 4);
}

static void refreshed_and_still_disabled(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");

	(void)state;
	write_instance(&i);
	unlink(in("sockets.target.wants/pg.socket"));
	assert_int_equal(refresh(&i), 0);
	unlink(in("pg.service"));
	assert_int_equal(refresh(&i), REFRESHED_OTHERS);
	assert_true(exists("pg.service"));
	assert_false(exists("sockets.target.wants/pg.socket"));
}

/* Nothing is written over what is not ours, nor for what would not be valid now. */
static void not_refreshed(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");
	_cleanup_snapshot_ struct snapshot before = {};
	_cleanup_free_ char *text = NULL;
	struct error err = {};
	int changed;

	(void)state;
	write_instance(&i);
	put("pg.service", "[Service]\nExecStart=/bin/mine\n");
	assert_int_equal(store_refresh(directory, &i, &before, &changed, &err), -1);
	assert_int_equal(err.code, EEXIST);
	text = content("pg.service");
	assert_string_equal(text, "[Service]\nExecStart=/bin/mine\n");
	snapshot_clear(&before);
	unlink(in("pg.service"));
	i.n_ports = 0;
	assert_int_equal(store_refresh(directory, &i, &before, &changed, &err), -1);
	assert_false(exists("pg.service"));
}

static void directories(void **state)
{
	char path[PATH_MAX];
	struct error err;

	(void)state;
	setenv("HOME", "/home/x", 1);
	setenv("XDG_CONFIG_HOME", "/cfg", 1);
	assert_int_equal(unit_directory(SCOPE_SYSTEM, path, &err), 0);
	assert_string_equal(path, "/etc/systemd/system");
	assert_int_equal(unit_directory(SCOPE_USER, path, &err), 0);
	assert_string_equal(path, "/cfg/systemd/user");
	setenv("XDG_CONFIG_HOME", "relative", 1);
	assert_int_equal(unit_directory(SCOPE_USER, path, &err), 0);
	assert_string_equal(path, "/home/x/.config/systemd/user");
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	assert_int_equal(runtime_directory_find(SCOPE_USER, path, &err), 0);
	assert_string_equal(path, "/run/user/7/sockwake");
	assert_int_equal(runtime_directory_find(SCOPE_SYSTEM, path, &err), 0);
	assert_string_equal(path, "/run/sockwake");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(write_read_remove),
		STORE_TEST(whether_it_is_current),
		STORE_TEST(nothing_there),
		STORE_TEST(original_is_found_and_taken_over),
		STORE_TEST(what_is_not_ours_stays),
		STORE_TEST(a_timer_comes_and_goes_with_the_schedule),
		STORE_TEST(a_timer_that_is_not_ours),
		STORE_TEST(names_that_meet),
		STORE_TEST(original_with_the_configuration_everywhere),
		STORE_TEST(broken_configurations_are_listed_with_a_reason),
		STORE_TEST(a_thousand_instances),
		STORE_TEST(longest_name),
		STORE_TEST(refreshed_where_it_differs),
		STORE_TEST(refreshed_and_still_disabled),
		STORE_TEST(not_refreshed),
		cmocka_unit_test(directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
