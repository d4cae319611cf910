/* A directory for the unit files of instances, and what is in it. */
#pragma once

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

static inline int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockwake-store-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static inline int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static inline const char *in(const char *file)
{
	static char path[PATH_MAX];
	struct error err;

	assert_int_equal(path_join(directory, file, path, &err), 0);
	return path;
}

static inline void put(const char *file, const char *text)
{
	struct error err;

	assert_int_equal(file_write_atomic(in(file), text, strlen(text), 0644, &err), 0);
}

static inline bool exists(const char *file)
{
	struct stat st;

	return lstat(in(file), &st) == 0;
}

/* How many entries of any kind, hidden ones included. */
static inline size_t count_entries(void)
{
	_cleanup_dir_ DIR *dir = opendir(directory);
	size_t n = 0;

	while (readdir(dir))
		n++;
	return n - 2;
}

static inline char *content(const char *file)
{
	char *text;
	struct error err;

	assert_int_equal(file_read(AT_FDCWD, in(file), 1 << 20, &text, NULL, &err), 0);
	return text;
}

static inline void write_instance(const struct instance *i)
{
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;

	if (store_write(directory, i, &before, &err) < 0)
		fail_msg("%s", err.text);
}

/* As the original tool wrote them. */
static inline void put_original(void)
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

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)
