/* activator/free_name.c: where Podman keeps its lists is remembered in a lock, until its configuration changes. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#include "activator/free_name.h"
#include "common/io.h"
#include "tests/unit/proc_fixture.h"

static char base[64], graph[128], config[128];
static int lock_fd;

static void put(const char *path, const char *text)
{
	struct error err;

	assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, &err), 0);
}

static void list(const char *text)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/containers.json", graph);
	put(path, text);
}

static int setup(void **state)
{
	char path[128];
	struct error err;

	strcpy(base, "/tmp/sockwake-free-XXXXXX");
	if (proc_setup(state) < 0 || !mkdtemp(base))
		return -1;
	snprintf(graph, sizeof(graph), "%s/graph", base);
	snprintf(config, sizeof(config), "%s/config/containers", base);
	if (directory_make(graph, 0700, &err) < 0 || directory_make(config, 0700, &err) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/config", base);
	setenv("XDG_CONFIG_HOME", path, 1);
	list("[]");
	snprintf(path, sizeof(path), "%s/lock", base);
	lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return lock_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char command[128];

	close(lock_fd);
	snprintf(command, sizeof(command), "rm -rf %s", base);
	return system(command) | proc_teardown(state);
}

/* Writes the lock, as of now and later than all that was changed before: the clock of files is coarse. */
static void record(const char *text)
{
	struct timespec times[2] = {};

	assert_int_equal(ftruncate(lock_fd, 0), 0);
	assert_int_equal(pwrite(lock_fd, text, strlen(text), 0), (ssize_t)strlen(text));
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec++;
	times[1] = times[0];
	assert_int_equal(futimens(lock_fd, times), 0);
}

static void record_lists(void)
{
	char text[512];

	snprintf(text, sizeof(text), "%s\n%s/run\n", graph, base);
	record(text);
}

static void known(void **state)
{
	(void)state;
	assert_false(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	record_lists();
	assert_true(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	list("[{\"names\":[\"web\"]}]");
	assert_false(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	assert_true(free_name_is_sure(lock_fd, SCOPE_USER, "db"));
	assert_false(free_name_is_sure(-1, SCOPE_USER, "db"));
}

static void cut_short(void **state)
{
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), "%s\n%s", graph, base);
	record(text);
	assert_false(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	record(graph);
	assert_false(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	record("");
	assert_false(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	record("\n\n");
	assert_false(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
}

/* Makes a file older than the lock. */
static void age(const char *path, long seconds)
{
	struct stat st;
	struct timespec times[2];

	assert_int_equal(stat(path, &st), 0);
	times[0] = times[1] = (struct timespec){st.st_ctim.tv_sec + seconds, st.st_ctim.tv_nsec};
	assert_int_equal(futimens(lock_fd, times), 0);
}

static void changed_configuration(void **state)
{
	char path[160], home[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/storage.conf", config);
	record_lists();
	age(config, 0); /* a directory that was changed at the same time */
	assert_false(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	age(config, 1);
	assert_true(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	put(path, "");
	age(path, 0);
	assert_false(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	assert_true(free_name_is_sure(lock_fd, SCOPE_SYSTEM, "web")); /* root has no configuration of its own */
	age(path, 1);
	assert_true(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	unsetenv("XDG_CONFIG_HOME");
	snprintf(home, sizeof(home), "%s/home", base);
	setenv("HOME", home, 1);
	age(config, -1);
	assert_true(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	snprintf(path, sizeof(path), "%s/.config/containers", home);
	assert_int_equal(directory_make(path, 0700, &(struct error){}), 0);
	assert_false(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
	setenv("XDG_CONFIG_HOME", "", 1);
	assert_false(free_name_is_sure(lock_fd, SCOPE_USER, "web"));
}

static void put_monitor(const char *bundle, const char *pid_file)
{
	char words[512];
	int n = snprintf(words, sizeof(words), "conmon%c-n%cweb%c-b%c%s%c-p%c%s", 0, 0, 0, 0, bundle, 0, 0, pid_file);

	proc_say("7", "comm", "conmon\n");
	proc_put("7", "cmdline", words, (size_t)n + 1);
}

static void remembered_from_the_monitor(void **state)
{
	struct monitored m = {.monitor = 7, .id = ID};
	char bundle[256], text[512] = "";

	(void)state;
	snprintf(bundle, sizeof(bundle), "%s/%s/userdata", graph, ID);
	put_monitor(bundle, "/run/x/" ID "/userdata/pidfile");
	record("a longer text of an earlier run, of which nothing may stay, however long it was, however long it was\n");
	free_name_remember(lock_fd, &m, proc);
	assert_true(pread(lock_fd, text, sizeof(text) - 1, 0) > 0);
	snprintf(bundle, sizeof(bundle), "%s\n/run/x\n", graph);
	assert_string_equal(text, bundle);
	/* What cannot be told changes nothing. */
	put_monitor("/elsewhere/userdata", "/run/x/" ID "/userdata/pidfile");
	free_name_remember(lock_fd, &m, proc);
	put_monitor("/elsewhere/" ID "/userdata", "/run/x");
	free_name_remember(lock_fd, &m, proc);
	free_name_remember(-1, &m, proc);
	assert_true(pread(lock_fd, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, bundle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(known, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_short, setup, teardown),
		cmocka_unit_test_setup_teardown(changed_configuration, setup, teardown),
		cmocka_unit_test_setup_teardown(remembered_from_the_monitor, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
