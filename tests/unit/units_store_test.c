/* units/store.c and paths.c: what a unit directory holds, and that a change of it is whole or none. */
#include "tests/unit/instance_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/path.h"
#include "instance/json.h"
#include "units/paths.h"
#include "units/render.h"
#include "units/store.h"

static char directory[64];
static int renames_left = -1; /* until one fails; -1: none does */

/* In place of the C library's. */
int rename(const char *from, const char *to)
{
	if (renames_left >= 0 && renames_left-- == 0) {
		errno = EIO;
		return -1;
	}
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockwake-store-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static const char *in(const char *file)
{
	static char path[PATH_MAX];
	struct error err;

	assert_int_equal(path_join(directory, file, path, &err), 0);
	return path;
}

static void put(const char *file, const char *text)
{
	struct error err;

	assert_int_equal(file_write_atomic(in(file), text, strlen(text), 0644, &err), 0);
}

static bool exists(const char *file)
{
	struct stat st;

	return lstat(in(file), &st) == 0;
}

/* How many entries of any kind, hidden ones included. */
static size_t count_entries(void)
{
	_cleanup_dir_ DIR *dir = opendir(directory);
	size_t n = 0;

	while (readdir(dir))
		n++;
	return n - 2;
}

static char *content(const char *file)
{
	char *text;
	struct error err;

	assert_int_equal(file_read(AT_FDCWD, in(file), 1 << 20, &text, NULL, &err), 0);
	return text;
}

static void write_instance(const struct instance *i)
{
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;

	if (store_write(directory, i, &before, &err) < 0)
		fail_msg("%s", err.text);
}

/* As the original tool wrote them. */
static void put_original(void)
{
	put("mysql5ram.socket",
	    "[Unit]\nDescription=Socket for mysql5ram on-demand activation\nX-ManagedBy=sockwake\n"
	    "X-InstanceConfig={\"name\":\"mysql5ram\",\"listen_port\":53303,\"container_port\":3303,"
	    "\"container_name\":\"mysql5ram\"}\n\n[Socket]\nListenStream=53303\n"
	    "Service=mysql5ram-proxy.service\n\n[Install]\nWantedBy=sockets.target\n");
	put("mysql5ram-proxy.service", "[Unit]\nDescription=Proxy for mysql5ram\nX-ManagedBy=sockwake\n"
				       "Requires=mysql5ram.service\n\n[Service]\nExecStart=/bin/true\n");
	put("mysql5ram.service", "[Unit]\nDescription=mysql5ram Docker container\nX-ManagedBy=sockwake\n"
				 "StopWhenUnneeded=true\n\n[Service]\nType=notify\nExecStart=/bin/true\n");
	assert_int_equal(mkdir(in("sockets.target.wants"), 0755), 0);
	assert_int_equal(symlink("/etc/systemd/system/mysql5ram.socket", in("sockets.target.wants/mysql5ram.socket")),
			 0);
}

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
	}
	assert_int_equal(store_remove(directory, "a", &err), 0);
	assert_false(exists("a.socket"));
}

/* Runs in a child that is not root, for which the modes of directories count. */
static int as_nobody(int (*f)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(setgid(65534) < 0 || setuid(65534) < 0 ? 99 : f());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int write_fails(void)
{
	struct instance i = small_instance("pg");
	struct snapshot before = {};
	struct error err;
	int r = store_write(directory, &i, &before, &err) < 0 && err.code == EACCES ? 0 : 1;

	snapshot_clear(&before);
	instance_clear(&i);
	return r;
}

static void read_only_directory(void **state)
{
	(void)state;
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(as_nobody(write_fails), 0);
	assert_int_equal(count_entries(), 0);
}

/* The link is what fails last: both files are there by then. */
static void late_failure_leaves_nothing(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;

	(void)state;
	put("sockets.target.wants", "a file where a directory should be");
	assert_int_equal(store_write(directory, &i, &before, &err), -1);
	assert_int_equal(count_entries(), 1);
}

/* Each of the files that are replaced fails in turn. */
static void each_file_or_none(void **state)
{
	_cleanup_instance_ struct instance old = small_instance("pg"), new = full_instance();
	_cleanup_free_ char *socket = NULL, *service = NULL;
	struct error err;
	int k;

	(void)state;
	write_instance(&old);
	socket = content("pg.socket");
	service = content("pg.service");
	for (k = 0;; k++) {
		_cleanup_snapshot_ struct snapshot before = {};
		_cleanup_free_ char *now = NULL, *service_now = NULL;
		int r;

		renames_left = k;
		err = (struct error){};
		r = store_write(directory, &new, &before, &err);
		renames_left = -1;
		if (r == 0)
			break;
		assert_int_equal(err.code, EIO);
		assert_int_equal(strncmp(err.text, "cannot write '", strlen("cannot write '")), 0);
		now = content("pg.socket");
		service_now = content("pg.service");
		assert_string_equal(now, socket);
		assert_string_equal(service_now, service);
		assert_int_equal(count_entries(), 3); /* no timer, nothing temporary */
	}
	assert_int_equal(k, 3);
	assert_int_equal(count_entries(), 4);
}

/* What was there comes back, also where only the link failed. */
static void a_refresh_that_fails_late(void **state)
{
	static const char text[] = "[Unit]\nX-ManagedBy=sockwake\n";
	_cleanup_instance_ struct instance i = small_instance("pg");
	_cleanup_snapshot_ struct snapshot before = {};
	_cleanup_free_ char *now = NULL;
	struct error err;
	int changed;

	(void)state;
	write_instance(&i);
	put("pg.service", text);
	assert_int_equal(unlink(in("sockets.target.wants/pg.socket")), 0);
	assert_int_equal(mkdir(in("sockets.target.wants/pg.socket"), 0755), 0);
	assert_int_equal(store_refresh(directory, &i, &before, &changed, &err), -1);
	now = content("pg.service");
	assert_string_equal(now, text);
}

static void late_failure_restores_what_was(void **state)
{
	_cleanup_instance_ struct instance old = small_instance("pg"), new = full_instance();
	_cleanup_snapshot_ struct snapshot before = {};
	_cleanup_stored_ struct stored s = {};
	struct error err;

	(void)state;
	write_instance(&old);
	assert_int_equal(unlink(in("sockets.target.wants/pg.socket")), 0);
	assert_int_equal(mkdir(in("sockets.target.wants/pg.socket"), 0755), 0);
	assert_int_equal(store_write(directory, &new, &before, &err), -1);
	assert_int_equal(store_read(directory, "pg", &s, &err), 0);
	assert_int_equal(s.instance.scope, SCOPE_USER);
	assert_int_equal(s.instance.n_ports, 1);
	assert_int_equal(count_entries(), 3);
}

/* Fills the file system up to so many free pages, in a mount namespace of its own. */
static int write_on_full_disk(int free_pages)
{
	_cleanup_instance_ struct instance i = full_instance();
	_cleanup_snapshot_ struct snapshot before = {};
	char page[4096] = {}, text[80];
	struct error err;
	int fd, r;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", directory, "tmpfs", 0, "size=64k") < 0)
		return 98;
	fd = open(in("ballast"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	while (write(fd, page, sizeof(page)) == sizeof(page))
		;
	snprintf(text, sizeof(text), "%d", free_pages);
	if (ftruncate(fd, lseek(fd, 0, SEEK_END) - (off_t)free_pages * 4096) < 0)
		return 97;
	close(fd);
	r = store_write(directory, &i, &before, &err);
	return r == 0 ? (count_entries() == 5 ? 0 : 2) : count_entries() == 1 ? 1 : 2;
}

static void full_disk(void **state)
{
	int outcomes[3] = {};

	(void)state;
	for (int pages = 0; pages < 10; pages++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(write_on_full_disk(pages));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 3);
		outcomes[WEXITSTATUS(status)]++;
	}
	assert_true(outcomes[0] > 0); /* whole */
	assert_true(outcomes[1] > 1); /* nothing, also when the first of the files would have fitted */
	assert_int_equal(outcomes[2], 0);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(write_read_remove),
		TEST(nothing_there),
		TEST(original_is_found_and_taken_over),
		TEST(what_is_not_ours_stays),
		TEST(a_timer_comes_and_goes_with_the_schedule),
		TEST(a_timer_that_is_not_ours),
		TEST(names_that_meet),
		TEST(original_with_the_configuration_everywhere),
		TEST(broken_configurations_are_listed_with_a_reason),
		TEST(read_only_directory),
		TEST(late_failure_leaves_nothing),
		TEST(each_file_or_none),
		TEST(a_refresh_that_fails_late),
		TEST(late_failure_restores_what_was),
		TEST(full_disk),
		TEST(a_thousand_instances),
		TEST(longest_name),
		TEST(refreshed_where_it_differs),
		TEST(refreshed_and_still_disabled),
		TEST(not_refreshed),
		cmocka_unit_test(directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
