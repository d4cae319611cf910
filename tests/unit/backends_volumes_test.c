/* backends/volumes.h on real directories. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/volumes.h"
#include "common/io.h"

/* /tmp may be in memory, of which nothing is remembered. */
static char directory[PATH_MAX];

static const char *in_directory(const char *name)
{
	static char paths[4][PATH_MAX + 64];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%.60s", directory, name);
	return path;
}

static int make_directory(void **state)
{
	(void)state;
	if (!realpath("build", directory))
		return -1;
	strcat(directory, "/volumes-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static void make(const char *name)
{
	assert_int_equal(mkdir(in_directory(name), 0700), 0);
}

static void add(struct volumes *v, const char *name, const char *path)
{
	struct error err;

	assert_int_equal(volumes_add(v, name, path, &err), 0);
}

static void a_volume_is_its_directory(void **state)
{
	_cleanup_volumes_ struct volumes v = {};

	(void)state;
	make("data");
	add(&v, "pgd", in_directory("data"));
	assert_int_equal(v.n, 1);
	assert_int_equal(volume_look(&v.items[0]), VOLUME_SAME);
	/* what is in it does not matter, nor whose it is */
	make("data/base");
	assert_int_equal(chmod(in_directory("data"), 0711), 0);
	assert_int_equal(volume_look(&v.items[0]), VOLUME_SAME);
	rename(in_directory("data"), in_directory("saved"));
	assert_int_equal(volume_look(&v.items[0]), VOLUME_GONE);
	make("data");
	assert_int_equal(volume_look(&v.items[0]), VOLUME_NEW);
	rmdir(in_directory("data"));
	rename(in_directory("saved"), in_directory("data"));
	assert_int_equal(volume_look(&v.items[0]), VOLUME_SAME);
}

static void a_number_that_is_used_again(void **state)
{
	_cleanup_volumes_ struct volumes v = {};

	(void)state;
	make("data");
	add(&v, "pgd", in_directory("data"));
	assert_true(v.items[0].birth != 0);
	v.items[0].birth--;
	assert_int_equal(volume_look(&v.items[0]), VOLUME_NEW);
	v.items[0].birth = 0; /* written down on a file system that does not tell */
	assert_int_equal(volume_look(&v.items[0]), VOLUME_SAME);
	v.items[0].inode++;
	assert_int_equal(volume_look(&v.items[0]), VOLUME_NEW);
	v.items[0].is_mount_point = true; /* while it ran */
	assert_int_equal(volume_look(&v.items[0]), VOLUME_SAME);
}

static void a_directory_of_the_host(void **state)
{
	_cleanup_volumes_ struct volumes v = {};

	(void)state;
	make("srv");
	add(&v, NULL, in_directory("srv"));
	add(&v, NULL, "/proc");
	assert_int_equal(v.n, 2);
	assert_true(!v.items[0].is_mount_point && v.items[1].is_mount_point);
	assert_int_equal(volume_look(&v.items[1]), VOLUME_SAME);
	rmdir(in_directory("srv"));
	assert_int_equal(volume_look(&v.items[0]), VOLUME_GONE);
	make("other");
	rename(in_directory("other"), in_directory("srv"));
	assert_int_equal(volume_look(&v.items[0]), VOLUME_SAME); /* it was deployed anew */
	v.items[0].is_mount_point = true;
	assert_int_equal(volume_look(&v.items[0]), VOLUME_UNMOUNTED);
}

static void nothing_is_said_about_others(void **state)
{
	_cleanup_volumes_ struct volumes v = {};
	struct error err;

	(void)state;
	assert_int_equal(file_write_atomic(in_directory("file"), "", 0, 0600, &err), 0);
	add(&v, NULL, in_directory("file"));
	add(&v, NULL, in_directory("missing"));
	add(&v, "pgd", in_directory("missing"));
	add(&v, NULL, "relative");
	add(&v, NULL, "/dev/shm"); /* in memory */
	assert_int_equal(v.n, 0);
}

static void written_down_and_read(void **state)
{
	_cleanup_volumes_ struct volumes v = {}, back = {}, nothing = {};
	char file[PATH_MAX + 64];
	struct error err;
	struct stat st;

	(void)state;
	strcpy(file, in_directory("state/podman.volumes"));
	make("with space");
	add(&v, "pgd", in_directory("with space"));
	add(&v, NULL, "/proc");
	strcpy(v.image, "sha256:12");
	assert_int_equal(volumes_read(file, &back, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(volumes_write(file, &v, &err), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(volumes_read(file, &back, &err), 0);
	assert_true(volumes_are_equal(&v, &back));
	assert_string_equal(back.items[0].path, in_directory("with space"));
	assert_null(back.items[1].name);
	/* each of its members counts */
	back.items[0].inode++;
	assert_false(volumes_are_equal(&v, &back));
	back.items[0].inode--;
	back.items[0].birth++;
	assert_false(volumes_are_equal(&v, &back));
	back.items[0].birth--;
	back.items[0].is_mount_point ^= 1;
	assert_false(volumes_are_equal(&v, &back));
	back.items[0].is_mount_point ^= 1;
	back.image[0] ^= 1;
	assert_false(volumes_are_equal(&v, &back));
	back.image[0] ^= 1;
	back.items[0].path[1] ^= 1;
	assert_false(volumes_are_equal(&v, &back));
	back.items[0].path[1] ^= 1;
	back.items[0].name[0] ^= 1;
	assert_false(volumes_are_equal(&v, &back));
	free_ptr(&back.items[0].name);
	assert_false(volumes_are_equal(&v, &back));
	assert_false(volumes_are_equal(&back, &v));
	assert_false(volumes_are_equal(&v, &nothing));
	/* what a killed writer has left goes along */
	assert_int_equal(file_write_atomic(in_directory("state/.sockwake-abcdef"), "x", 1, 0600, &err), 0);
	assert_int_equal(utimensat(AT_FDCWD, in_directory("state/.sockwake-abcdef"), (struct timespec[2]){}, 0), 0);
	assert_int_equal(volumes_write(file, &nothing, &err), 0);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(access(in_directory("state"), F_OK), -1);
	assert_int_equal(volumes_write(file, &nothing, &err), 0);
	/* nor can there be one where a directory would be needed */
	assert_int_equal(file_write_atomic(in_directory("file"), "x", 1, 0600, &err), 0);
	assert_int_equal(volumes_write(in_directory("file/volumes"), &nothing, &err), 0);
	assert_int_equal(unlink(in_directory("file")), 0);
}

static void a_file_that_makes_no_sense(void **state)
{
	static const char *const texts[] = {
		"volume 1 2 0 pgd\n",
		"volume 1 2 0 pgd relative\n",
		"volume x 2 0 pgd /a\n",
		"volume 1 2 0\n",
		"volume 1\n",
		"volume 1 2 0 - relative\n",
		"image\n",
		"volume 1 2 0 a/b /a/../b\n",
		"garbage\n",
		"volume 1 2 0 /x /y\n",
	};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
		_cleanup_volumes_ struct volumes v = {};

		assert_int_equal(file_write_atomic(in_directory("f"), texts[k], strlen(texts[k]), 0600, &err), 0);
		assert_int_equal(volumes_read(in_directory("f"), &v, &err), -1);
		assert_int_equal(err.code, EINVAL);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)
	const struct CMUnitTest tests[] = {
		TEST(a_volume_is_its_directory),    TEST(a_number_that_is_used_again), TEST(a_directory_of_the_host),
		TEST(nothing_is_said_about_others), TEST(written_down_and_read),       TEST(a_file_that_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
