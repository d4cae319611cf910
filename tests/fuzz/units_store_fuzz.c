/* Any text as the unit files of an instance: an instance read from them is valid; replacing it and going back leaves
 * the files unchanged. A line "====" separates the socket's text from the service's.
 *
 * floor: 450 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/io.h"
#include "instance/json.h"
#include "tests/fuzz/fuzz.h"
#include "units/store.h"

#define DIVIDER	 "\n====\n"
#define TEXT_MAX (1U << 20)

static char directory[PATH_MAX], socket_path[PATH_MAX + 16], service_path[PATH_MAX + 16];

static void make_directory(void)
{
	const char *parent = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/units-XXXXXX", parent ? parent : "/tmp");
	CHECK(mkdtemp(directory));
	snprintf(socket_path, sizeof(socket_path), "%s/x.socket", directory);
	snprintf(service_path, sizeof(service_path), "%s/x.service", directory);
}

static void put(const char *path, const char *text, size_t len)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
}

static void expect(const char *path, const char *text, size_t len)
{
	_cleanup_free_ char *now = NULL;
	struct error err;
	size_t n;

	CHECK(file_read(AT_FDCWD, path, TEXT_MAX, &now, &n, &err) == 0);
	/* The text after a NUL does not belong to a unit, and is not kept. */
	CHECK(n == strnlen(text, len) && memcmp(now, text, n) == 0);
}

static void replace(struct instance *i, const char *text, size_t len, const char *service, size_t service_len)
{
	_cleanup_stored_ struct stored again = {};
	_cleanup_snapshot_ struct snapshot before = {};
	_cleanup_free_ char *once = NULL, *twice = NULL;
	struct error err;

	if (store_write(directory, i, &before, &err) < 0) {
		CHECK(err.text[0]);
		return;
	}
	CHECK(store_read(directory, "x", &again, &err) == 0 && !again.problem);
	once = instance_to_json(i);
	twice = instance_to_json(&again.instance);
	CHECK(once && twice && strcmp(once, twice) == 0);
	CHECK(store_restore(directory, "x", &before, &err) == 0);
	expect(socket_path, text, len);
	expect(service_path, service, service_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = text_of(data, size);
	_cleanup_stored_list_ struct stored_list all = {};
	_cleanup_stored_ struct stored s = {};
	char *service = memmem(text, size, DIVIDER, strlen(DIVIDER));
	size_t len = service ? (size_t)(service - text) + 1 : size;
	struct error err = {};

	if (!directory[0])
		make_directory();
	service = service ? service + strlen(DIVIDER) : text + size;
	put(socket_path, text, len);
	put(service_path, service, (size_t)(text + size - service));
	if (store_scan(directory, &all, &err) < 0)
		return 0;
	CHECK(all.n <= 1);
	if (store_read(directory, "x", &s, &err) < 0) {
		CHECK(all.n == 0 && err.text[0]);
		return 0;
	}
	CHECK(all.n == 1 && strcmp(s.instance.name, "x") == 0);
	if (!s.problem && !s.instance.legacy)
		replace(&s.instance, text, len, service, (size_t)(text + size - service));
	return 0;
}
