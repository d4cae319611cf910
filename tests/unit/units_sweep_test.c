/* units/sweep.c: what killed commands have left goes, and nothing else. */
#include "tests/unit/instance_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/path.h"
#include "units/own_file.h"
#include "units/store.h"
#include "units/sweep.h"

#define CONFIG(name)                                                                                                   \
	"X-InstanceConfig={\"name\":\"" name "\",\"listen_port\":1,\"container_port\":1,\"container_name\":\"c\"}\n"
#define OURS(name) "[Unit]\nX-ManagedBy=sockwake\n" CONFIG(name)
#define TIMER	   "[Unit]\nX-ManagedBy=sockwake\n"
#define FOREIGN	   "[Unit]\nDescription=mine\n"
#define DROP_IN	   OWN_FILE_MARK " for its instance\n"

static char top[64], units[96];

static int setup(void **state)
{
	char path[160];

	(void)state;
	strcpy(top, "/tmp/sockwake-sweep-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(units, sizeof(units), "%s/units", top);
	snprintf(path, sizeof(path), "%s/sockets.target.wants", units);
	return setenv("XDG_CONFIG_HOME", top, 1) < 0 || mkdir(units, 0755) < 0 || mkdir(path, 0755) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	unsetenv("XDG_CONFIG_HOME");
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static const char *in(const char *file)
{
	static char path[PATH_MAX];
	struct error err;

	assert_int_equal(path_join(top, file, path, &err), 0);
	return path;
}

static void put(const char *file, const char *text)
{
	char directory[PATH_MAX];
	struct error err;

	snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(in(file), '/') - in(file)), in(file));
	if (directory_make(directory, 0755, &err) < 0 ||
	    file_write_atomic(in(file), text, strlen(text), 0644, &err) < 0)
		fail_msg("%s", err.text);
}

static bool exists(const char *file)
{
	struct stat st;

	return lstat(in(file), &st) == 0;
}

/* A file, what is in it, and whether it goes. */
struct file {
	const char *path, *text;
	bool goes;
};

static void expect(const struct file *files, size_t n, size_t swept)
{
	for (size_t k = 0; k < n; k++) {
		if (files[k].text)
			put(files[k].path, files[k].text);
	}
	assert_int_equal(units_sweep(SCOPE_USER, units), swept);
	for (size_t k = 0; k < n; k++) {
		if (exists(files[k].path) == files[k].goes)
			fail_msg("'%s' %s", files[k].path, files[k].goes ? "stays" : "goes");
	}
}
#define EXPECT(files, swept) expect(files, sizeof(files) / sizeof(*(files)), swept)

static void units_without_a_socket(void **state)
{
	static const struct file files[] = {
		{"units/gone.service", OURS("gone"), true},
		{"units/gone.timer", OURS("gone"), true},
		{"units/g.service", OURS("g"), true},
		{"units/there.socket", OURS("there"), false},
		{"units/there.service", OURS("there"), false},
		{"units/there.timer", OURS("there"), false},
		{"units/foreign.service", FOREIGN, false},
		{"units/foreign.timer", FOREIGN, false},
		{"units/other.service", OURS("another"), false},
		{"units/none.service", TIMER, false}, /* without a configuration: whose is it? */
		{"units/a.b.service", OURS("a.b"), false},
		{"units/.service", OURS(""), false},
		{"units/gone.target", OURS("gone"), false},
		{"units/gone.service.bak", OURS("gone"), false},
	};

	(void)state;
	EXPECT(files, 3);
}

/* The longest name of an instance, and one that is longer. */
static void long_names(void **state)
{
	char path[2][300], text[2][600];

	(void)state;
	for (int k = 0; k < 2; k++) {
		char name[242];

		memset(name, 'n', sizeof(name));
		name[240 + k] = '\0';
		snprintf(path[k], sizeof(path[k]), "units/%s.service", name);
		snprintf(text[k], sizeof(text[k]),
			 TIMER "X-InstanceConfig={\"name\":\"%s\",\"listen_port\":1,"
			       "\"container_port\":1,\"container_name\":\"c\"}\n",
			 name);
	}

	const struct file files[] = {{path[0], text[0], true}, {path[1], text[1], false}};

	EXPECT(files, 1);
}

static void temporary_files(void **state)
{
	static const struct file files[] = {
		{"units/.sockwake-abc123", "x", true},
		{"units/.sockwake-abc1234", "x", false},
		{"units/sockets.target.wants/.sockwake-abc123", "x", true},
		{"containers/systemd/.sockwake-abc123", "x", true},
		{"containers/systemd/x.container.d/.sockwake-abc123", "x", true},
		{"containers/systemd/x.container/.sockwake-abc123", "x", false},
	};

	(void)state;
	EXPECT(files, 0); /* they are not counted */
}

static void link_to(const char *directory, const char *target, const char *link)
{
	char path[PATH_MAX], to[PATH_MAX];

	snprintf(path, sizeof(path), "%s/units/sockets.target.wants/%s", top, link);
	snprintf(to, sizeof(to), "%s%s", directory, target);
	assert_int_equal(symlink(to, path), 0);
}

static void links_to_sockets_that_are_gone(void **state)
{
	static const struct file files[] = {
		{"units/there.socket", OURS("there"), false},
		{"units/sockets.target.wants/there.socket", NULL, false},
		{"units/sockets.target.wants/gone.socket", NULL, true},
		{"units/sockets.target.wants/elsewhere.socket", NULL, false},
		{"units/sockets.target.wants/longer.socket", NULL, false},
		{"units/sockets.target.wants/a.b.socket", NULL, false},
		{"units/sockets.target.wants/another.socket", NULL, false},
		{"units/sockets.target.wants/file.socket", "no link", false},
	};
	char directory[128];

	(void)state;
	snprintf(directory, sizeof(directory), "%s/", units);
	link_to(directory, "there.socket", "there.socket");
	link_to(directory, "gone.socket", "gone.socket");
	link_to("/usr/lib/systemd/system/", "elsewhere.socket", "elsewhere.socket");
	link_to(directory, "longer.socketx", "longer.socket");
	link_to(directory, "a.b.socket", "a.b.socket");
	link_to(directory, "ahother.socket", "another.socket"); /* as long, but another one */
	EXPECT(files, 1);
}

static void no_links_need_no_directory(void **state)
{
	char directory[128];

	(void)state;
	snprintf(directory, sizeof(directory), "%s/", units);
	link_to(directory, "gone.socket", "gone.socket");
	assert_int_equal(units_sweep(SCOPE_USER, units), 1);
	assert_false(exists("units/sockets.target.wants"));
	assert_int_equal(units_sweep(SCOPE_USER, units), 0);
	assert_int_equal(units_sweep(SCOPE_USER, in("no-such-directory")), 0);
}

/* An instance with this drop-in. */
static void put_instance(const char *name, const char *drop_in)
{
	_cleanup_instance_ struct instance i = small_instance(name);
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;

	i.drop_in = strdup(in(drop_in));
	if (store_write(units, &i, &before, &err) < 0)
		fail_msg("%s", err.text);
}

#define X "containers/systemd/x.container.d/"
#define Y "containers/systemd/y.container.d/"

static void drop_ins_of_nobody(void **state)
{
	static const struct file files[] = {
		{X "sockwake-gone.conf", DROP_IN, true},
		{X "sockwakE-gone.conf", DROP_IN, false},
		{X "sockwake-gone.config", DROP_IN, false},
		{X "s", DROP_IN, false},
		{X "sockwake-foreign.conf", "[Container]\n", false},
		{X "sockwake-web.conf", DROP_IN, false},    /* the drop-in of an instance */
		{Y "sockwake-web.conf", DROP_IN, true},	    /* it has another one */
		{X "sockwake-broken.conf", DROP_IN, false}, /* of an instance that cannot be read */
		{"units/broken.socket", TIMER, false},
		{X "sockwake-theirs.conf", DROP_IN, false}, /* somebody else has a socket of this name */
		{"units/theirs.socket", FOREIGN, false},
		{X "gone.conf", DROP_IN, false},
		{X "sockwake-gone.txt", DROP_IN, false},
		{X "sockwake-.conf", DROP_IN, false},
		{X "sockwake-a.b.conf", DROP_IN, false},
		{"containers/systemd/x.container/sockwake-gone.conf", DROP_IN, false},
		{"containers/systemd/.d/sockwake-gone.conf", DROP_IN, false},
		{"containers/systemd/sockwake-gone.conf", DROP_IN, false},
	};

	(void)state;
	put_instance("web", X "sockwake-web.conf");
	EXPECT(files, 2);
	assert_false(exists("containers/systemd/y.container.d")); /* it is empty */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(units_without_a_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(long_names, setup, teardown),
		cmocka_unit_test_setup_teardown(temporary_files, setup, teardown),
		cmocka_unit_test_setup_teardown(links_to_sockets_that_are_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(no_links_need_no_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(drop_ins_of_nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
